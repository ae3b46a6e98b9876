"""The parts of the application, each made when it is first used and shared by all threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from rag.catalog import Catalog, Messages, WorkspaceCatalog
from rag.settings import Settings

if TYPE_CHECKING:
    from rag.ingest import Indexes, Ingestor
    from rag.retrieval.centring import QuestionMemory
    from rag.retrieval.retriever import QuestionEmbedder
    from rag.types import Answerer, Embedder, IndexEngine, Reranker

T = TypeVar("T")


class Parts:
    """Opens what the settings ask for. Safe to use from many threads.

    Args:
        settings: Say which engines to open.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.RLock()
        self._locks: dict[str, threading.RLock] = {}
        self._made: dict[str, Any] = {}

    def _once(self, name: str, make: Callable[[], T]) -> T:
        """The part of that name. A part that is slow to make holds up only those who wait for it."""
        with self._lock:
            own = self._locks.setdefault(name, threading.RLock())
        with own:
            if name not in self._made:
                self._made[name] = make()
            return cast("T", self._made[name])

    @property
    def catalog(self) -> Catalog:
        """The catalog of all workspaces."""
        url = self.settings.database_url.get_secret_value()
        return self._once("catalog", lambda: Catalog(self.settings.data_dir, url))

    @property
    def workspace(self) -> WorkspaceCatalog:
        """Everything of the workspace in the settings."""
        return self.catalog.workspace(self.settings.workspace)

    @property
    def embedder(self) -> Embedder:
        """The model in force."""
        from rag.embedding import open_embedder

        return self._once("embedder", lambda: open_embedder(self.settings))

    @property
    def engine(self) -> IndexEngine:
        """The vector engine in force."""
        from rag.index import open_engine

        return self._once("engine", lambda: open_engine(self.settings))

    @property
    def indexes(self) -> Indexes:
        """The indexes of all tasks."""
        from rag.ingest import Indexes

        return self._once("indexes", lambda: Indexes(self.catalog, self.engine, lambda: self.embedder, self.settings))

    @property
    def ingestor(self) -> Ingestor:
        """What adds, rebuilds and removes files."""
        from rag.ingest import Ingestor

        def make() -> Ingestor:
            ingestor = Ingestor(self.indexes)
            ingestor.sweep()
            return ingestor

        return self._once("ingestor", make)

    @property
    def questions(self) -> QuestionEmbedder:
        """Embeds questions and remembers the last ones."""
        from rag.retrieval.retriever import QuestionEmbedder

        return self._once("questions", lambda: QuestionEmbedder(self.embedder))

    def memory(self, task: str) -> QuestionMemory | None:
        """Questions asked of the task's index since the start, for a task that discounts what they share."""
        from rag.retrieval.centring import QuestionMemory
        from rag.tasks import get_task

        if not get_task(task).centred:
            return None
        return self._once(f"memory {self.indexes.open(task).name}", QuestionMemory)

    @property
    def answerer(self) -> Answerer:
        """Who writes answers."""
        from rag.answering.answerers import open_answerer

        return self._once("answerer", lambda: open_answerer(self.settings))

    @property
    def reranker(self) -> Reranker | None:
        """The cross-encoder, when one is named."""
        if not self.settings.reranker:
            return None
        from rag.retrieval.reranking import CrossEncoderReranker

        return self._once("reranker", lambda: CrossEncoderReranker(self.settings.reranker))

    @property
    def messages(self) -> Messages:
        """The messages of the workspace's conversations."""
        return self.workspace.messages

    def close(self) -> None:
        """Flush and release everything; what is used again is opened again."""
        with self._lock:
            for name in ("ingestor", "engine", "catalog"):
                part = self._made.pop(name, None)
                if part is not None:
                    part.close()
            self._made.clear()
