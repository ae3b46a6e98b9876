"""`Rag`: everything a shell needs in one object. Safe to call from many threads."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from rag.errors import IndexClosedError, SettingsError
from rag.parts import Parts
from rag.retrieval.request import Comparison, Request, Retrieved
from rag.settings import Settings, load_settings
from rag.tasks import TASKS, get_task
from rag.text import well_formed
from rag.turns import TURNS
from rag.types import Filter, Mode, Strategy, Turn

if TYPE_CHECKING:
    from threading import Event as Cancel

    from rag.answering.chain import Event
    from rag.catalog import (
        ConversationRecord,
        DocumentRecord,
        FailureRecord,
        FileRecord,
        IndexRecord,
        StoredTurn,
    )
    from rag.evaluation.service import Evaluations
    from rag.ingest import IngestItem, IngestReport, ReindexReport
    from rag.jobs import OnProgress
    from rag.maintenance import CheckReport
    from rag.maintenance.backups import Backups
    from rag.recipes import RecipeInForce
    from rag.retrieval.retriever import Retriever
    from rag.status import Status
    from rag.tasks.calibrated import Calibration
    from rag.types import Answerer, Embedder, IndexEngine, KnownVectors

_LOG = logging.getLogger(__name__)

HISTORY_TURNS = 6
"""How many of the last messages a follow-up question is read with."""


@dataclass(frozen=True, slots=True)
class _OpenTask:
    """A task that was asked already. Its retriever holds as long as recipe and index are the same, until a time."""

    recipe: RecipeInForce
    index: IndexRecord | None
    retriever: Retriever
    until: float


class Rag:
    """The application without a user interface.

    Args:
        settings: Read from the environment when not given.
        embedder: Used instead of the model in the settings.
        engine: Used instead of the vector engine in the settings.
        answerer: Used instead of the answerer in the settings.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        embedder: Embedder | None = None,
        engine: IndexEngine | None = None,
        answerer: Answerer | None = None,
    ) -> None:
        self.settings = settings or load_settings()
        logging.getLogger("rag").setLevel(self.settings.log_level)
        self._parts = Parts(self.settings, embedder=embedder, engine=engine, answerer=answerer)
        self._asked_tasks: dict[str, _OpenTask] = {}

    # -- knowledge -----------------------------------------------------------------------------------------------------

    def ingest(
        self, paths: Sequence[Path], task: str, progress: OnProgress | None = None, cancel: Cancel | None = None
    ) -> IngestReport:
        """Add files and folders to a task; what is there already is left alone."""
        from rag.ingest import survey

        get_task(task)
        seen = survey(paths, exclude=self.settings.data_dir)
        report = self.ingest_items(seen.items, task, progress, cancel)
        return replace(report, skipped=seen.skipped, hidden=seen.hidden)

    def ingest_uploads(
        self,
        uploads: Sequence[tuple[str, bytes | BinaryIO]],
        task: str,
        progress: OnProgress | None = None,
        cancel: Cancel | None = None,
    ) -> IngestReport:
        """Add files that come as (name, bytes) or as (name, stream)."""
        return self.ingest_staged(self.stage(uploads), task, progress, cancel)

    def stage(self, uploads: Sequence[tuple[str, bytes | BinaryIO]]) -> list[IngestItem]:
        """Save uploads in the data folder, for `ingest_staged`; they go when nobody holds the items any more.

        Raises:
            DiskFullError: There is too little room for them.
            CatalogError: The data folder cannot be written.
        """
        from rag.ingest import stage

        self.settings.reserve.check(sum(_size(content) for _, content in uploads))
        return [stage(self._parts.data_dir, name, content) for name, content in uploads]

    def ingest_staged(
        self, items: Sequence[IngestItem], task: str, progress: OnProgress | None = None, cancel: Cancel | None = None
    ) -> IngestReport:
        """Add uploads that were saved, and remove what was saved however it ends."""
        from rag.ingest import unstage

        try:
            return self.ingest_items(items, task, progress, cancel)
        finally:
            unstage(items)

    def ingest_items(
        self,
        items: Sequence[IngestItem],
        task: str,
        progress: OnProgress | None = None,
        cancel: Cancel | None = None,
        known: Sequence[KnownVectors] = (),
    ) -> IngestReport:
        """Add files under names of the caller's choice; vectors that are known are not computed again."""
        report = self._parts.ingestor.ingest(items, task, progress, cancel, known)
        _LOG.info(
            "task %s: %d files looked at, %d chunks, %d embedded", task, len(items), report.chunks, report.embedded
        )
        if self.settings.calibrate:
            self._parts.calibrator.consider(task)
        return report

    def ingest_sample(
        self, progress: OnProgress | None = None, cancel: Cancel | None = None
    ) -> dict[str, IngestReport]:
        """Add the sample library: something for every task. The bundled models' vectors of it come with it."""
        from rag.ingest.sample import SampleVectors, sample_items

        known = [SampleVectors.load()]
        items_by_task = sample_items().items()
        return {task: self.ingest_items(items, task, progress, cancel, known) for task, items in items_by_task}

    def sample_tasks(self, names: Mapping[str, Collection[str]]) -> list[str]:
        """Return the tasks that have a file of the sample library, given the names of files by task."""
        from rag.ingest.sample import sample_tasks

        return sample_tasks(names)

    def reindex(
        self, task: str | None = None, progress: OnProgress | None = None, cancel: Cancel | None = None
    ) -> dict[str, ReindexReport]:
        """Rebuild a task's index, or all, by the settings in force; the old one answers until the new one is whole."""
        tasks = [get_task(task).name] if task else list(TASKS)
        return {name: self._parts.ingestor.reindex(name, progress, cancel) for name in tasks}

    def files(self, task: str | None = None) -> list[FileRecord]:
        """Files of the workspace."""
        return self._parts.workspace.files(task)

    def documents(self, task: str | None = None) -> list[DocumentRecord]:
        """Documents of the workspace; a file whose rows are documents has many."""
        return self._parts.workspace.documents(task)

    def library_problems(self) -> tuple[str, ...]:
        """What keeps the listed documents from being found, with the remedies. Loads no model and no index."""
        from rag.status import missing_indexes

        return missing_indexes(self._parts)

    def failures(self, task: str | None = None) -> list[FailureRecord]:
        """Files that could not be read, with the reason."""
        return self._parts.workspace.failures.list(task)

    def dismiss_failure(self, task: str, name: str) -> None:
        """Take a failure off the list, with the bytes that were kept for it."""
        self._parts.ingestor.dismiss(task, name)

    def delete(self, ids: Sequence[str], task: str | None = None) -> int:
        """Remove files, given by file id, document id or name, with all their chunks.

        Returns:
            How many files went.

        Raises:
            NotFoundError: One of them is not there; nothing is removed then.
        """
        return self._parts.ingestor.delete(ids, task)

    def erase(self, *, thrifty: bool = False) -> int:
        """Remove deleted text from the files of index and catalog now, not after RAG_ERASE_AFTER seconds.

        Args:
            thrifty: Leave large indexes alone from which little was deleted.

        Returns:
            How many indexes and databases were cleaned.

        Raises:
            RagError: One could not be; it works as before.
        """
        return len(self._parts.eraser.erase(thrifty=thrifty))

    # -- questions -----------------------------------------------------------------------------------------------------

    def search(self, request: Request | str) -> Retrieved:
        """Find the hits of a request in its mode; a string is a question with everything else by default."""
        request = self._complete(request)
        return self._retrieve(request, self._parts.recipes.of(request.task), (request.mode,))[request.mode]

    def compare(self, request: Request | str) -> Comparison:
        """Find the hits of a request in both modes, with one call to the model and one to the engine.

        Raises:
            SettingsError: Comparison is off.
        """
        if not self.settings.comparison:
            raise SettingsError(
                "There is nothing to compare with: set RAG_COMPARISON=true and run `python -m rag reindex`."
            )
        request = self._complete(request)
        by_mode = self._retrieve(request, self._parts.recipes.of(request.task), (Mode.TASK_AWARE, Mode.NAIVE))
        return Comparison(by_mode[Mode.TASK_AWARE], by_mode[Mode.NAIVE])

    def ask(
        self, request: Request | str, *, retrieved: Retrieved | None = None, record: bool = True
    ) -> Iterator[Event]:
        """Stream the events of an answer: sources, tokens, and the answer with its citations.

        Closing the iterator early keeps the text so far in the conversation.

        Args:
            request: A string is a question with everything else by default.
            retrieved: Hits that are known already for this very question, or None.
            record: Whether the request's conversation keeps the question and the answer.
        """
        from rag.answering.chain import ChainInput, build_chain
        from rag.retrieval.langchain import TaskRetriever

        request = self._complete(request)
        history = self._history(request.conversation)
        recipe = self._parts.recipes.of(request.task)

        def search(asked: Request) -> Retrieved:
            if retrieved is not None and asked.question == retrieved.question:
                return retrieved
            return self._retrieve(asked, recipe, (asked.mode,))[asked.mode]

        chain = build_chain(TaskRetriever(search=search, request=request), self._parts.answerer, recipe.task)
        events = chain.stream(ChainInput(request.question, history))
        if request.conversation is None or not record:
            return events
        from rag.answering.recording import recorded

        return recorded(events, request.question, request.conversation, self._parts.workspace)

    # -- conversations -------------------------------------------------------------------------------------------------

    def conversations(self) -> list[ConversationRecord]:
        """Conversations of the workspace, the last used first."""
        return self._parts.workspace.conversations.list()

    def new_conversation(self, title: str = "New conversation") -> str:
        """Start a conversation; gives its id. The first question becomes its title."""
        return self._parts.workspace.conversations.add(title).id

    def turns(self, conversation: str) -> list[StoredTurn]:
        """Messages of a conversation, oldest first.

        Raises:
            NotFoundError: This workspace has no such conversation.
        """
        return self._parts.workspace.messages.turns(conversation)

    def delete_conversation(self, conversation: str) -> None:
        """Remove a conversation with its messages."""
        self._parts.workspace.conversations.get(conversation)
        with self.settings.reserve.spare():
            self._parts.workspace.conversations.delete(conversation)

    # -- measuring -----------------------------------------------------------------------------------------------------

    @cached_property
    def evaluations(self) -> Evaluations:
        """Evaluating and tuning on judged questions, and the thumbs that judge answers."""
        from rag.evaluation.service import Evaluations

        return Evaluations(self._parts)

    def calibrate(self, task: str, judgments: Path | None = None) -> Calibration:
        """Adapt the shares of a task to its index now.

        Args:
            task: Name of the task.
            judgments: File of questions, documents and grades to go by; thumbs when None.

        Raises:
            DatasetError: There is nothing to go by; what is missing.
        """
        return self._parts.calibrator.calibrate(task, judgments)

    def take_back_calibration(self, task: str) -> bool:
        """Return to the task's own shares and keep them for this index; True when others were in force."""
        return self._parts.calibrator.take_back(task)

    # -- state ---------------------------------------------------------------------------------------------------------

    def status(self) -> Status:
        """What is in force, and what does not work."""
        from rag.status import current_status

        return current_status(self._parts)

    def check(
        self,
        progress: OnProgress | None = None,
        cancel: Cancel | None = None,
        *,
        repair: bool = False,
        remove_unknown: bool = False,
    ) -> CheckReport:
        """Compare catalog, originals and index of all workspaces; with `repair` mend first; see `check_library`."""
        from rag.maintenance import check_library

        self._asked_tasks.clear()
        return check_library(self._parts, progress, cancel, repair=repair, remove_unknown=remove_unknown)

    @cached_property
    def backups(self) -> Backups:
        """Backups of the library."""
        from rag.maintenance.backups import Backups

        return Backups(self._parts)

    def close(self) -> None:
        """Flush and release everything; the object can be used again."""
        self._asked_tasks.clear()
        self._parts.close()

    # -- how a question is answered ------------------------------------------------------------------------------------

    def _complete(self, request: Request | str) -> Request:
        """The request with the settings' choices where it makes none."""
        request = Request(request) if isinstance(request, str) else request
        strategy = request.strategy or Strategy(self.settings.strategy)
        question = well_formed(request.question)
        return replace(request, question=question, strategy=strategy, k=request.k or self.settings.top_k)

    def _retrieve(self, request: Request, recipe: RecipeInForce, modes: Sequence[Mode]) -> dict[Mode, Retrieved]:
        with TURNS.first():
            try:
                by_mode = self._retriever(recipe).retrieve(request, modes)
            except IndexClosedError:  # a reindex has put another index in its place since it was opened
                self._asked_tasks.pop(request.task, None)
                by_mode = self._retriever(recipe).retrieve(request, modes)
        for mode, retrieved in by_mode.items():
            _LOG.debug(
                "task %s, %s: %d hits, timings %s", request.task, mode.value, len(retrieved.hits), retrieved.timings
            )
        return by_mode

    def _retriever(self, recipe: RecipeInForce) -> Retriever:
        """The retriever of a task with the filter of this moment; it is made anew for another recipe or index."""
        task, workspace = recipe.task.name, self._parts.workspace
        view = workspace.view(task)
        asked = self._asked_tasks.get(task)
        is_usable = asked is not None and asked.recipe is recipe and asked.index == view.index
        if asked is None or not is_usable or time.monotonic() > asked.until:
            retriever, until = self._open_retriever(recipe)
            view = workspace.view(task)
            asked = self._asked_tasks[task] = _OpenTask(recipe, view.index, retriever, until)
        return replace(
            asked.retriever,
            visible=Filter(workspace.workspace, view.hidden),
            vocabulary=self._parts.vocabularies.of(asked.retriever.index, workspace.workspace),
        )

    def _open_retriever(self, recipe: RecipeInForce) -> tuple[Retriever, float]:
        """Open the index of a task to be searched, and say until when: then a few of its chunks are embedded again."""
        from rag.ingest.indexes import TRUSTED_SECONDS
        from rag.retrieval.retriever import Retriever

        index = self._parts.indexes.open(recipe.task.name)
        if self.settings.calibrate:  # the process that ingested may have ended before it came to it
            self._parts.calibrator.consider(recipe.task.name)
        retriever = Retriever(
            recipe=recipe,
            index=index,
            embed=self._parts.query_embedder,
            others=self._parts.other_query_embedders,
            visible=Filter(self.settings.workspace),
            current=self._parts.workspace.current_among,
            reranker=self._parts.reranker,
            memory=partial(self._parts.memory, index.name) if recipe.task.mix.centred else None,
        )
        return retriever, time.monotonic() + TRUSTED_SECONDS

    def _history(self, conversation: str | None) -> tuple[Turn, ...]:
        if conversation is None:
            return ()
        return tuple(Turn(turn.role, turn.text) for turn in self.turns(conversation)[-HISTORY_TURNS:])


def _size(content: bytes | BinaryIO) -> int:
    """Return the bytes of an upload; a stream is left where it was."""
    if isinstance(content, bytes):
        return len(content)
    position = content.tell()
    end = content.seek(0, os.SEEK_END)
    content.seek(position)
    return end - position
