"""`Rag`: everything a shell needs in one object. Safe to call from many threads."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rag.catalog import ConversationRecord, DocumentRecord, FailureRecord, FileRecord, StoredTurn
from rag.errors import IndexClosedError, SettingsError
from rag.parts import Parts
from rag.settings import Settings, load_settings
from rag.tasks import TASKS, get_task
from rag.tasks.profiles import task_in_force
from rag.types import Filter, Mode, Strategy, Turn

if TYPE_CHECKING:
    from threading import Event as Cancel

    from rag.answering.chain import Event
    from rag.evaluation.service import Evaluations
    from rag.ingest import IngestItem, IngestReport, Progress, ReindexReport
    from rag.retrieval.retriever import Comparison, Corpus, Retrieved
    from rag.status import Status

    OnProgress = Callable[[Progress], None] | None

_LOG = logging.getLogger(__name__)

HISTORY_TURNS = 6
"""How many of the last messages a follow-up question is read with."""


class Rag:
    """The application without a user interface.

    Args:
        settings: Read from the environment when not given.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or load_settings()
        logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        logging.getLogger("rag").setLevel(self.settings.log_level)
        self._parts = Parts(self.settings)

    # -- knowledge -----------------------------------------------------------------------------------------------------

    def ingest(
        self, paths: Sequence[Path], task: str, progress: OnProgress = None, cancel: Cancel | None = None
    ) -> IngestReport:
        """Add files and folders to a task; what is there already is left alone."""
        from rag.ingest import discover

        get_task(task)
        return self.ingest_items(discover(paths, exclude=self.settings.data_dir), task, progress, cancel)

    def ingest_uploads(
        self,
        uploads: Sequence[tuple[str, bytes]],
        task: str,
        progress: OnProgress = None,
        cancel: Cancel | None = None,
    ) -> IngestReport:
        """Add files that come as (name, bytes)."""
        from rag.ingest import stage, unstage

        items = [stage(self.settings.data_dir, name, content) for name, content in uploads]
        try:
            return self.ingest_items(items, task, progress, cancel)
        finally:
            unstage(items)

    def ingest_items(
        self, items: Sequence[IngestItem], task: str, progress: OnProgress = None, cancel: Cancel | None = None
    ) -> IngestReport:
        """Add files under names of the caller's choice."""
        report = self._parts.ingestor.ingest(items, task, progress, cancel)
        _LOG.info(
            "task %s: %d files looked at, %d chunks, %d embedded", task, len(items), report.chunks, report.embedded
        )
        return report

    def ingest_sample(self, progress: OnProgress = None, cancel: Cancel | None = None) -> dict[str, IngestReport]:
        """Add the sample library: something for every task."""
        from rag.ingest.sample import sample_items

        return {task: self.ingest_items(items, task, progress, cancel) for task, items in sample_items().items()}

    def reindex(
        self, task: str | None = None, progress: OnProgress = None, cancel: Cancel | None = None
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

    def failures(self, task: str | None = None) -> list[FailureRecord]:
        """Files that could not be read, with the reason."""
        return self._parts.workspace.failures.list(task)

    def dismiss_failure(self, task: str, name: str) -> None:
        """Take a failure off the list."""
        self._parts.workspace.failures.dismiss(task, name)

    def delete(self, ids: Sequence[str], task: str | None = None) -> int:
        """Remove files, given by file id, document id or name, with all their chunks.

        Returns:
            How many files went.

        Raises:
            NotFoundError: One of them is not there; nothing is removed then.
        """
        return self._parts.ingestor.delete(ids, task)

    # -- questions -----------------------------------------------------------------------------------------------------

    def search(
        self,
        question: str,
        task: str = "qa",
        mode: Mode = Mode.TASK_AWARE,
        strategy: Strategy | None = None,
        k: int | None = None,
        names: Sequence[str] | None = None,
    ) -> Retrieved:
        """Hits in one mode."""
        return self._retrieve(question, task, [mode], strategy, k, names)[mode]

    def compare(
        self,
        question: str,
        task: str = "qa",
        strategy: Strategy | None = None,
        k: int | None = None,
        names: Sequence[str] | None = None,
    ) -> Comparison:
        """Hits in both modes, from one call to the model and one to the engine."""
        from rag.retrieval.retriever import Comparison

        if not self.settings.comparison:
            raise SettingsError(
                "There is nothing to compare with: set RAG_COMPARISON=true and run `python -m rag reindex`."
            )
        found = self._retrieve(question, task, [Mode.TASK_AWARE, Mode.NAIVE], strategy, k, names)
        return Comparison(found[Mode.TASK_AWARE], found[Mode.NAIVE])

    def ask(
        self,
        question: str,
        task: str = "qa",
        mode: Mode = Mode.TASK_AWARE,
        strategy: Strategy | None = None,
        k: int | None = None,
        names: Sequence[str] | None = None,
        conversation: str | None = None,
        retrieved: Retrieved | None = None,
        record: bool = True,
    ) -> Iterator[Event]:
        """The events of an answer: sources, tokens, and the answer with its citations.

        Closing the iterator early keeps what was said so far in the conversation.

        Args:
            question: As the person wrote it.
            task: Retrieval task.
            mode: Task-aware or naive.
            strategy: Of the task-aware mode; the settings' when None.
            k: Most sources; the settings' when None.
            names: Only these files, or None for all.
            conversation: Follow this conversation and add to it, or None.
            retrieved: Hits that are known already for this very question, or None.
            record: Whether the conversation keeps the question and the answer.
        """
        from rag.answering.chain import Question, build_chain

        known = retrieved
        history = self._history(conversation)

        def find(text: str) -> Retrieved:
            if known is not None and text == known.question:
                return known
            return self.search(text, task, mode, strategy, k, names)

        events = build_chain(find, self._parts.answerer).stream(Question(question, history))
        if conversation is None or not record:
            return events
        from rag.answering.recording import recorded

        return recorded(events, question, conversation, self._parts.messages, self._parts.workspace)

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
        return self._parts.messages.turns(conversation)

    def delete_conversation(self, conversation: str) -> None:
        """Remove a conversation with its messages."""
        self._parts.workspace.conversations.get(conversation)
        self._parts.workspace.conversations.delete(conversation)

    # -- measuring -----------------------------------------------------------------------------------------------------

    @cached_property
    def evaluations(self) -> Evaluations:
        """Evaluating and tuning on judged questions, and the thumbs that judge answers."""
        from rag.evaluation.service import Evaluations

        return Evaluations(self._parts)

    # -- state ---------------------------------------------------------------------------------------------------------

    def status(self) -> Status:
        """What is in force, and what does not work."""
        from rag.status import current_status

        return current_status(self._parts)

    def close(self) -> None:
        """Flush and release everything; the object can be used again."""
        self._parts.close()

    # -- how a question is answered ------------------------------------------------------------------------------------

    def _corpus(self, task: str) -> Corpus:
        from rag.embedding import task_prompts
        from rag.retrieval.retriever import Corpus

        workspace = self._parts.workspace
        query_prompt, _ = task_prompts(self.settings, self.settings.embedding_model, task)
        return Corpus(
            spec=task_in_force(self.settings.data_dir, get_task(task)),
            index=self._parts.indexes.open(task),
            questions=self._parts.questions,
            query_prompt=query_prompt,
            visible=lambda: Filter(self.settings.workspace, workspace.hidden_versions(task)),
            current=workspace.current_among,
            reranker=self._parts.reranker,
            memory=self._parts.memory(task),
        )

    def _retrieve(
        self,
        question: str,
        task: str,
        modes: Sequence[Mode],
        strategy: Strategy | None,
        k: int | None,
        names: Sequence[str] | None,
    ) -> dict[Mode, Retrieved]:
        from rag.retrieval.retriever import retrieve

        wanted, most = strategy or Strategy(self.settings.strategy), k or self.settings.top_k
        try:
            found = retrieve(self._corpus(task), question, modes, wanted, most, names)
        except IndexClosedError:  # a reindex has put another one in its place since it was opened
            found = retrieve(self._corpus(task), question, modes, wanted, most, names)
        for mode, one in found.items():
            _LOG.debug("task %s, %s: %d hits, timings %s", task, mode.value, len(one.hits), one.timings)
        return found

    def _history(self, conversation: str | None) -> tuple[Turn, ...]:
        if conversation is None:
            return ()
        return tuple(Turn(turn.role, turn.text) for turn in self.turns(conversation)[-HISTORY_TURNS:])
