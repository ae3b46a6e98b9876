"""The parts of the application, each made when it is first used and shared by all threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from pydantic import SecretStr

from rag.errors import RagError
from rag.settings import Settings

if TYPE_CHECKING:
    from rag.catalog import Catalog, WorkspaceCatalog
    from rag.evaluation.calibrating import Calibrator
    from rag.ingest import Indexes, Ingestor
    from rag.ingest.erasing import Eraser
    from rag.recipes import Recipes
    from rag.retrieval.centring import QuestionMemory
    from rag.retrieval.retriever import CachedEmbedder
    from rag.retrieval.vocabularies import Vocabularies
    from rag.types import Answerer, Embedder, IndexEngine, Reranker

T = TypeVar("T")


class once(Generic[T]):  # noqa: N801 - used as a decorator
    """A property that is made once, on first use, by one thread while others wait for it.

    The value is kept in the object itself, so that every later use is a plain attribute.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, parts: None, owner: type) -> once[T]: ...
    @overload
    def __get__(self, parts: Parts, owner: type) -> T: ...
    def __get__(self, parts: Parts | None, owner: type) -> T | once[T]:
        if parts is None:
            return self
        with parts.lock_of(self._name):
            if self._name not in parts.__dict__:
                parts.__dict__[self._name] = self._make(parts)
            return cast("T", parts.__dict__[self._name])


def check_entries() -> None:
    """Look into every folder of entries, so that two of one name stop the start and not some later use.

    Raises:
        DuplicateNameError: Two modules claim one name or one file extension.
    """
    from rag.answering.answerers import discover_answerers
    from rag.index import discover_engines
    from rag.loaders.registry import formats_by_extension
    from rag.tasks import discover_tasks

    for discover in (discover_tasks, formats_by_extension, discover_engines, discover_answerers):
        discover()


class Parts:
    """Opens the engines that the settings ask for. Safe to use from many threads.

    Args:
        settings: Say which engines to open.
        embedder: Used instead of the model in the settings.
        engine: Used instead of the vector engine in the settings.
        answerer: Used instead of the answerer in the settings.

    Raises:
        DuplicateNameError: Two entries claim one name or one file extension.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        embedder: Embedder | None = None,
        engine: IndexEngine | None = None,
        answerer: Answerer | None = None,
    ) -> None:
        check_entries()
        self.settings = settings
        self._given = {"embedder": embedder, "engine": engine, "answerer": answerer}
        self._lock = threading.Lock()
        self._locks: dict[str, threading.RLock] = {}
        self._memories: dict[tuple[str, str], QuestionMemory] = {}

    def lock_of(self, name: str) -> threading.RLock:
        """Lock of one part: a part that is slow to make holds up only those who wait for it."""
        with self._lock:
            return self._locks.setdefault(name, threading.RLock())

    def in_folder(self, data_dir: Path) -> Parts:
        """Return the parts of a library that lies in another folder with all it has: database, index and originals."""
        whole = {"engine": "embedded", "qdrant_url": "", "database_url": SecretStr("")}
        settings = self.settings.model_copy(update={"data_dir": data_dir, **whole})
        return Parts(settings, embedder=cast("Embedder | None", self._given["embedder"]))

    @once
    def data_dir(self) -> Path:
        """The data folder, made if it is absent, without permissions for others.

        Raises:
            CatalogError: It cannot be made.
        """
        from rag.catalog import make_data_folder

        return make_data_folder(self.settings.data_dir)

    @once
    def opened_catalog(self) -> Catalog:
        """The catalog of all workspaces, whoever owns what lies beside it: for checking and repairing alone."""
        from rag.catalog import Catalog

        settings = self.settings
        return Catalog(self.data_dir, settings.database_url.get_secret_value(), settings.reserve)

    @once
    def catalog(self) -> Catalog:
        """The catalog of all workspaces, which owns the originals and the index beside it."""
        from rag.catalog.ownership import require_data_folder

        require_data_folder(self.opened_catalog, self.engine)
        return self.opened_catalog

    @once
    def workspace(self) -> WorkspaceCatalog:
        """Everything of the workspace in the settings."""
        self.eraser.start()
        return self.catalog.workspace(self.settings.workspace)

    @once
    def recipes(self) -> Recipes:
        """The recipe in force of every task."""
        from rag.recipes import Recipes

        return Recipes(self.settings)

    @once
    def embedder(self) -> Embedder:
        """The model in force."""
        if self._given["embedder"] is not None:
            return cast("Embedder", self._given["embedder"])
        from rag.embedding import open_embedder

        _ = self.data_dir
        # Models are loaded beside each other; what goes wrong with the others is said where they are used.
        threading.Thread(target=self._load_others, name="load-others", daemon=True).start()
        recipes = self.recipes.all().values()
        return open_embedder(self.settings, [text for r in recipes for text in (r.query_prompt, r.document_prompt)])

    @once
    def others(self) -> Mapping[str, Embedder]:
        """The other models of the recipes in force, by id."""
        second = self.settings.second_embedding_model
        if second is None:
            return {}
        from rag.embedding import open_second

        _ = self.data_dir
        recipes = self.recipes.all().values()
        needed = any(signal.model.id == second.id for recipe in recipes for signal in recipe.signals)
        return {second.id: open_second(self.settings)} if needed else {}

    def _load_others(self) -> None:
        with suppress(RagError):
            _ = self.others

    @once
    def other_query_embedders(self) -> Mapping[str, CachedEmbedder]:
        """Embed questions by the other models, by id, and remember the last ones."""
        from rag.retrieval.retriever import CachedEmbedder

        return {model: CachedEmbedder(embedder) for model, embedder in self.others.items()}

    @once
    def query_embedder(self) -> CachedEmbedder:
        """Embeds questions, and remembers the last ones."""
        from rag.retrieval.retriever import CachedEmbedder

        return CachedEmbedder(self.embedder)

    @once
    def engine(self) -> IndexEngine:
        """The vector engine in force."""
        if self._given["engine"] is not None:
            return cast("IndexEngine", self._given["engine"])
        from rag.index import open_engine

        _ = self.data_dir
        return open_engine(self.settings)

    @once
    def indexes(self) -> Indexes:
        """The indexes of all tasks."""
        self.eraser.start()
        return self.indexes_of(self.catalog)

    def indexes_of(self, catalog: Catalog) -> Indexes:
        """The indexes of all tasks, as a catalog knows them."""
        from rag.ingest import Indexes

        return Indexes(
            catalog, self.engine, lambda: self.embedder, self.settings, self.recipes, others=lambda: self.others
        )

    @once
    def ingestor(self) -> Ingestor:
        """Adds, rebuilds and removes files."""
        from rag.ingest import Ingestor

        ingestor = Ingestor(self.indexes)
        ingestor.sweep()
        return ingestor

    @once
    def eraser(self) -> Eraser:
        """Removes deleted text from the files of index and catalog, in the background."""
        from rag.ingest.erasing import Eraser

        return Eraser(lambda: self.engine, self.catalog, self.settings.erase_after)

    @once
    def calibrator(self) -> Calibrator:
        """Adapts the shares of tasks to their indexes, in the background."""
        from rag.evaluation.calibrating import Calibrator

        return Calibrator(self)

    @once
    def answerer(self) -> Answerer:
        """Writes answers."""
        if self._given["answerer"] is not None:
            return cast("Answerer", self._given["answerer"])
        from rag.answering.answerers import open_answerer

        return open_answerer(self.settings, lambda texts: self.query_embedder(texts))

    @once
    def reranker(self) -> Reranker | None:
        """The cross-encoder, when the settings name one."""
        if not self.settings.reranker:
            return None
        from rag.retrieval.reranking import CrossEncoderReranker

        return CrossEncoderReranker(self.settings.reranker)

    @once
    def vocabularies(self) -> Vocabularies:
        """The terms of the indexes, which questions are read by."""
        from rag.retrieval.vocabularies import Vocabularies

        return Vocabularies()

    def memory(self, index: str, signal: str) -> QuestionMemory:
        """Questions asked of one index since the start, as one of its signals has them."""
        from rag.retrieval.centring import QuestionMemory

        with self._lock:
            return self._memories.setdefault((index, signal), QuestionMemory())

    def close(self) -> None:
        """Flush and release everything; a part that is used again is opened again."""
        # Before the lock is held, which a thread may wait for, and before the engine is closed, which they read from.
        for worker in ("calibrator", "eraser", "vocabularies"):
            if worker in self.__dict__:
                self.__dict__[worker].close()
        with self._lock:
            for name in ("ingestor", "engine", "opened_catalog"):
                part = self.__dict__.get(name)
                if part is not None:
                    part.close()
            for name in [name for name, value in vars(type(self)).items() if isinstance(value, once)]:
                self.__dict__.pop(name, None)
            self._memories.clear()
