"""A library that ingests into fakes: real catalog, real chunker, a parser for `.txt` and `.jsonl` in this process."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rag.catalog import Catalog, WorkspaceCatalog
from rag.errors import EmptyFileError, EncryptedFileError
from rag.ingest import Indexes, IngestItem, Ingestor, IngestReport, discover
from rag.jobs import OnProgress
from rag.recipes import Recipes
from rag.settings import Settings
from rag.types import Document, Filter, IndexEngine, StoredPoint, VectorIndex
from tests.fakes import FakeEmbedder
from tests.fakes_index import FakeEngine


class FakeParser:
    """Reads text files and rows. A file whose text is `ENCRYPTED` needs a password.

    Attributes:
        parsed: Names, in the order they were asked for.
        before: Called before each document with the name of its file.
    """

    def __init__(self) -> None:
        self.parsed: list[str] = []
        self.before: Callable[[str], object] = lambda name: None

    def documents(self, path: Path, name: str, stop: threading.Event | None = None) -> Iterator[Document]:
        self.parsed.append(name)
        with path.open(encoding="utf-8") as lines:
            if name.endswith(".jsonl"):
                for line in lines:
                    self.before(name)
                    row = json.loads(line)
                    yield Document(name, row["text"], "table", key=row["_id"], title=row.get("title", ""))
                return
            text = lines.read()
        self.before(name)
        if text == "ENCRYPTED":
            raise EncryptedFileError("It needs a password.")
        if not text.strip():
            raise EmptyFileError("It is empty.")
        yield Document(name, text, "text")


@dataclass
class Library:
    """Everything under one data folder; a second one on the same folder and engine is a restart."""

    folder: Path
    engine: IndexEngine = field(default_factory=FakeEngine)
    embedder: FakeEmbedder = field(default_factory=FakeEmbedder)
    parser: FakeParser = field(default_factory=FakeParser)
    options: Mapping[str, object] = field(default_factory=dict)
    name: str = "default"
    second: FakeEmbedder = field(default_factory=lambda: FakeEmbedder(dimension=48))

    def __post_init__(self) -> None:
        self.settings = Settings(data_dir=self.folder / "data", **self.options)  # type: ignore[arg-type]
        self.catalog = Catalog(self.settings.data_dir)
        recipes = Recipes(self.settings)
        second = self.settings.second_embedding_model
        others = {} if second is None else {second.id: self.second}
        self.indexes = Indexes(
            self.catalog, self.engine, lambda: self.embedder, self.settings, recipes, others=lambda: others
        )
        self.ingestor = Ingestor(self.indexes, self.parser, self.name)

    @property
    def workspace(self) -> WorkspaceCatalog:
        return self.catalog.workspace(self.name)

    def restarted(self, **options: object) -> Library:
        return Library(self.folder, self.engine, FakeEmbedder(), options=options, name=self.name)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def items(self) -> list[IngestItem]:
        return discover([self.folder / "in"])

    def ingest(
        self,
        task: str = "qa",
        progress: OnProgress | None = None,
        cancel: threading.Event | None = None,
    ) -> IngestReport:
        return self.ingestor.ingest(self.items(), task, progress, cancel)

    def index(self, task: str = "qa") -> VectorIndex:
        return self.indexes.open(task)

    def visible(self, task: str = "qa") -> list[StoredPoint]:
        """What a search may return."""
        where = Filter(self.name, self.workspace.hidden_versions(task))
        return [point for batch in self.index(task).scroll(where, with_vectors=True) for point in batch]

    def texts(self, task: str = "qa") -> dict[str, str]:
        """Visible text by file name and key."""
        points = sorted(self.visible(task), key=lambda p: (p.payload.name, p.payload.key, p.payload.chunk.ordinal))
        found: dict[str, str] = {}
        for point in points:
            place = f"{point.payload.name}{'#' if point.payload.key else ''}{point.payload.key}"
            found[place] = " ".join(filter(None, (found.get(place), point.payload.chunk.text)))
        return found


def rows(count: int, start: int = 0) -> str:
    """A file of `count` short documents."""
    lines = ({"_id": f"r{i}", "title": f"Row {i}", "text": f"row number {i} says hello"} for i in range(start, count))
    return "".join(json.dumps(line) + "\n" for line in lines)


def sections(*words: str) -> str:
    """A text with one chunk a word: paragraphs that are each nearly as long as a chunk may be."""
    return "\n\n".join(" ".join(f"{word}{i}" for i in range(200)) + "." for word in words)
