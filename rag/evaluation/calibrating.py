"""An index calibrates itself: after an ingest its task's shares are adapted to it, in the background."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import CancelledError, DatasetError, RagError
from rag.evaluation.data.datasets import Dataset
from rag.evaluation.data.library import FEEDBACK, index_dataset
from rag.evaluation.data.made import QUESTIONS, made_questions
from rag.evaluation.data.passages import sample_passages
from rag.evaluation.run.calibrate import Shares, shares_by_agreement, shares_by_judgments
from rag.jobs import Meter
from rag.recipes import SECOND, RecipeInForce
from rag.retrieval.centring import QuestionMemory
from rag.retrieval.fusion import Mixture
from rag.retrieval.retriever import QueryEmbedder, Retriever
from rag.tasks import get_task
from rag.tasks.calibrated import ASKED, MADE, Calibration, load_calibration, save_calibration
from rag.turns import TURNS
from rag.types import Embedder, Filter, Matrix, VectorIndex

if TYPE_CHECKING:
    from rag.parts import Parts

_LOG = logging.getLogger(__name__)
LEAST_CHUNKS = 60
"""Smaller libraries keep the shares of the task."""
GROWTH = 1.2
"""Chunks, as a multiple of those at the last calibration, from which on another one is worth it."""
LEAST_ASKED = 25
"""Questions that people must have asked, to go by those."""
LEAST_JUDGED = 20
"""Judged questions from which on shares are chosen by them."""
MOST_ASKED = 100
SAMPLE = 10 * QUESTIONS
"""Passages that questions are made of."""
REST = 2.0
"""Seconds after an ingest before it begins: files often come one after the other."""
_STOPPED = "The calibration was stopped; the shares are what they were."


class Calibrator:
    """Calibrates indexes, one at a time, in a thread beside the application. Safe to call from many threads.

    Args:
        parts: The parts of the application.
        rest: Seconds before work begins, and between looks whether an ingest is under way.
    """

    def __init__(self, parts: Parts, rest: float = REST) -> None:
        self._parts = parts
        self._settings = parts.settings
        self._rest = rest
        self._lock = threading.Lock()
        self._working = threading.Lock()
        self._stop = threading.Event()
        self._pending: dict[str, None] = {}
        self._thread: threading.Thread | None = None

    # -- in the background ---------------------------------------------------------------------------------------------

    def consider(self, task: str) -> bool:
        """Calibrate the index of a task soon if it is due; returns at once, True when it is."""
        if not self._settings.calibrate or self._stop.is_set() or not self._is_due(task):
            return False
        with self._lock:
            self._pending[task] = None
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="rag-calibrator", daemon=True)
                self._thread.start()
        return True

    def close(self) -> None:
        """Stop soon; a calibration that is under way is given up."""
        self._stop.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._rest):
            if self._is_writing():
                continue
            with self._lock:
                task = next(iter(self._pending), None)
                if task is None:
                    self._thread = None
                    return
                del self._pending[task]
            self._try(task)

    def _try(self, task: str) -> None:
        try:
            if self._is_due(task):
                self.calibrate(task, by_hand=False)
        except CancelledError:
            return
        except (RagError, OSError) as exc:  # whoever asks the index next says what is wrong with it
            _LOG.debug("task %s was not calibrated: %s", task, type(exc).__name__)

    def _is_writing(self) -> bool:
        try:
            with self._parts.catalog.writer.attempt() as acquired:
                return not acquired
        except (RagError, OSError):
            return False

    def _is_due(self, task: str) -> bool:
        """True when the index is large enough, and another one or a much larger one than at the last time."""
        chunks = self._parts.workspace.counts(task)[2]
        record = self._parts.catalog.active_index(task)
        if chunks < LEAST_CHUNKS or record is None:
            return False
        recipe = self._parts.recipes.shipped(task)
        last = load_calibration(self._settings.data_dir, task)
        if recipe.profile is not None or recipe.task.mix.rrf is not None:
            return False
        if last is None or last.index != record.collection:
            return True
        if last.off:
            return False
        stale = (last.models, last.prior) != (recipe.models, recipe.task.mix.dense_weight)
        return stale or chunks >= GROWTH * last.chunks

    # -- at once -------------------------------------------------------------------------------------------------------

    def calibrate(self, task: str, judgments: Path | None = None, *, by_hand: bool = True) -> Calibration:
        """Choose the shares of a task for its index and put them in force.

        Judged questions decide, from 20 on, when what they choose holds on the half that had no part in it; otherwise
        the questions asked so far, from 25 on; otherwise questions made of passages.

        Args:
            task: Name of the task.
            judgments: File of questions, documents and grades; thumbs when None.
            by_hand: True when a person asks for it.

        Raises:
            DatasetError: There is nothing to go by; what is missing.
            RagError: The index cannot be opened, or the judgments are malformed.
            CancelledError: The application closes.
        """
        with self._working:
            recipe = self._parts.recipes.shipped(get_task(task).name)
            record = self._parts.catalog.active_index(task)
            chunks = self._parts.workspace.counts(task)[2]
            if record is None or not chunks:
                raise DatasetError(f"Task {task!r} has no documents yet. Ingest some first: `python -m rag ingest`.")
            if recipe.profile is not None:
                raise DatasetError(f"Task {task!r} has a tuned profile, which goes before any calibration.")
            shares = self._choose(recipe, self._parts.indexes.open(task), judgments)
            calibration = Calibration(
                task=task,
                index=record.collection,
                models=recipe.models,
                prior=recipe.task.mix.dense_weight,
                dense_weight=shares.dense_weight,
                grounds=shares.grounds,
                questions=shares.questions,
                gain=shares.gain,
                chunks=chunks,
                second_share=shares.second_share,
                created=datetime.now(UTC).isoformat(timespec="seconds"),
                by_hand=by_hand,
            )
            save_calibration(self._settings.data_dir, calibration)
        _LOG.info("task %s: %s", task, calibration.describe())
        return calibration

    def take_back(self, task: str) -> bool:
        """Return to the task's own shares, and keep them for this index; True when others were in force."""
        with self._working:
            recipe = self._parts.recipes.of(get_task(task).name)
            record = self._parts.catalog.active_index(task)
            index = "" if record is None else record.collection
            shipped = self._parts.recipes.shipped(task)
            weight = shipped.task.mix.dense_weight
            save_calibration(
                self._settings.data_dir, Calibration(task, index, shipped.models, weight, weight, off=True)
            )
            return recipe.calibration is not None

    # -- how shares are chosen -----------------------------------------------------------------------------------------

    def _choose(self, recipe: RecipeInForce, index: VectorIndex, judgments: Path | None) -> Shares:
        meter = Meter(None, self._stop, _STOPPED)
        task = recipe.task.name
        visible = Filter(self._settings.workspace, self._parts.workspace.hidden_versions(task))
        judged = self._judged(recipe, index, visible, judgments)
        if judged is not None:
            meter.begin("Weighing", len(judged.questions), "question")
            shares = shares_by_judgments(
                self._retriever(recipe, index, visible), judged, meter, _passages if judgments is None else _documents
            )
            if shares is not None:
                return shares
        if not any(signal.label == SECOND for signal in recipe.signals):
            raise DatasetError(
                f"Task {task!r} has no second model, whose agreement with the first one says how to weigh them. Set "
                f"RAG_SECOND_MODEL, or give thumbs on at least {LEAST_JUDGED} questions."
            )
        asked, grounds = self._parts.workspace.messages.questions(task)[:MOST_ASKED], ASKED
        if len(asked) < LEAST_ASKED:
            asked, grounds = made_questions(sample_passages(index, visible, SAMPLE)), MADE
        meter.begin("Weighing", len(asked), "question")
        return shares_by_agreement(self._retriever(recipe, index, visible), asked, grounds, meter)

    def _judged(
        self, recipe: RecipeInForce, index: VectorIndex, visible: Filter, judgments: Path | None
    ) -> Dataset | None:
        """The judged questions; None when there are too few to split."""
        thumbs = self._parts.workspace.feedback.list(recipe.task.name) if judgments is None else []
        if judgments is None and len(thumbs) < LEAST_JUDGED:
            return None
        try:
            dataset = index_dataset(index, visible, recipe.task, str(judgments or FEEDBACK), thumbs)
        except DatasetError:
            if judgments is not None:
                raise
            return None
        return dataset if len(dataset.questions) >= LEAST_JUDGED else None

    def _retriever(self, recipe: RecipeInForce, index: VectorIndex, visible: Filter) -> Retriever:
        """The product's retriever with a memory of its own: nobody asked these questions."""
        memories: defaultdict[str, QuestionMemory] = defaultdict(QuestionMemory)
        return Retriever(
            recipe,
            index,
            embed=_patient(self._parts.embedder),
            visible=visible,
            current=self._parts.workspace.current_among,
            others={model: _patient(embedder) for model, embedder in self._parts.others.items()},
            memory=memories.__getitem__ if recipe.task.mix.centred else None,
        )


def _patient(embedder: Embedder) -> QueryEmbedder:
    """Embed when nobody waits for an answer."""

    def embed(texts: Sequence[str]) -> Matrix:
        TURNS.give_way()
        return embedder.encode(list(texts))

    return embed


def _passages(mixture: Mixture) -> Sequence[str]:
    return mixture.ids


def _documents(mixture: Mixture) -> Sequence[str]:
    return mixture.documents
