"""A dataset's documents as the product would keep them: loaded, cut, embedded and, where needed, indexed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.chunking import chunk, chunking_id
from rag.chunking.adapter import chunking_of
from rag.embedding.pooling import pool_groups
from rag.errors import DatasetError
from rag.evaluation.data.corpus import Record
from rag.evaluation.data.datasets import Dataset
from rag.evaluation.run.vectors import VectorCache
from rag.index import EmbeddedEngine, point_id
from rag.jobs import Meter
from rag.loaders.cleaning import CLEANING
from rag.loaders.rows import TableRow, documents_of_rows
from rag.models import EmbeddingModel
from rag.retrieval.analyser import terms_of
from rag.tasks import TaskSpec
from rag.types import Chunk, Document, Embedder, Filter, Matrix, Mode, Payload, Point, Recipe, VectorIndex

WORKSPACE = "evaluation"
VISIBLE = Filter(WORKSPACE)
_VERSION = "1"
_WRITTEN = 1024


@dataclass(frozen=True, slots=True)
class ChunkedCorpus:
    """Documents with their chunks, in the order of their ids.

    Attributes:
        ids: Ids of the documents that have a chunk, sorted, so that ties go by id.
        documents: As the product's loader makes them, by id.
        chunks: Chunks of all documents, one document after the other.
        starts: Place of each document's first chunk among `chunks`, shape (documents,).
        spec: The task that cut them.
    """

    ids: tuple[str, ...]
    documents: Mapping[str, Document]
    chunks: tuple[Chunk, ...]
    starts: NDArray[np.int64]
    spec: TaskSpec

    @property
    def inputs(self) -> list[str]:
        """Every text that is embedded for a document, in the order of the chunks."""
        return [text for chunk in self.chunks for text in chunk.inputs]

    def owners(self) -> list[str]:
        """The document id of each chunk."""
        sizes = np.diff([*self.starts, len(self.chunks)])
        return [key for key, size in zip(self.ids, sizes, strict=True) for _ in range(size)]


def collect(
    dataset: Dataset, spec: TaskSpec, embedder: Embedder, prompts: Sequence[str], meter: Meter
) -> ChunkedCorpus:
    """Load and cut a dataset's documents as the product does.

    Args:
        dataset: Its documents are cut.
        spec: How to cut.
        embedder: Whose tokens are counted.
        prompts: Every prompt that may stand before a chunk; all of them fit.
        meter: Told of each document.

    Raises:
        DatasetError: No document has any text.
    """
    room = max((len(embedder.token_offsets(prompt)) for prompt in set(prompts) if prompt), default=0)
    meter.begin("Reading documents", len(dataset.documents), "document")
    documents: dict[str, Document] = {}
    cut: dict[str, list[Chunk]] = {}
    for record in dataset.documents:
        document = as_document(record, dataset.name)
        found = (
            []
            if document is None
            else list(chunk(document, chunking_of(spec), embedder.token_offsets, embedder.max_tokens, room))
        )
        if document is not None and found:
            documents[record.id], cut[record.id] = document, found
        meter.step()
    if not cut:
        raise DatasetError(f"{dataset.name}: found no document with any text, expected at least one.")
    ids = tuple(sorted(cut))
    starts = np.cumsum([0, *(len(cut[key]) for key in ids[:-1])])
    return ChunkedCorpus(ids, documents, tuple(one for key in ids for one in cut[key]), starts, spec)


def as_document(record: Record, name: str) -> Document | None:
    """A record as the product loads it from a BEIR corpus; None when nothing is written in it."""
    row = TableRow(1, {"_id": "1", "title": record.title, "text": record.text})
    return next(documents_of_rows(iter([row]), name), None)


def document_vectors(collection: ChunkedCorpus, prompt: str, cache: VectorCache, meter: Meter) -> Matrix:
    """Vectors of all chunks under one document prompt, shape (chunks, dimension); several inputs are pooled."""
    texts = [prompt + text for text in collection.inputs]
    return pool_groups(cache.encode(texts, meter), [len(chunk.inputs) for chunk in collection.chunks])


@contextmanager
def open_index(
    collection: ChunkedCorpus,
    model: EmbeddingModel,
    embedder: Embedder,
    vectors: Mapping[Mode, Matrix],
    prompts: tuple[str, str],
    meter: Meter,
) -> Iterator[VectorIndex]:
    """The product's own index over the collection, in a folder that is removed at the end.

    Args:
        collection: What is written.
        model: For the recipe.
        embedder: For the recipe.
        vectors: Of all chunks, by mode.
        prompts: The task-aware (query, document) prompts, for the recipe.
        meter: Told of each chunk.
    """
    spec = collection.spec
    recipe = Recipe(
        task=spec.name,
        model=model.id,
        revision=model.revision,
        precision=embedder.precision,
        pooling=model.pooling,
        normalised=True,
        dimension=embedder.dimension,
        document_prompt=prompts[1],
        query_prompt=prompts[0],
        chunking=chunking_id(chunking_of(spec)),
        cleaning=CLEANING,
    )
    with tempfile.TemporaryDirectory(prefix="rag-evaluation-") as folder:
        engine = EmbeddedEngine(Path(folder))
        try:
            index = engine.open(recipe)
            _write(index, collection, vectors, meter)
            yield index
        finally:
            engine.close()


def _write(index: VectorIndex, collection: ChunkedCorpus, vectors: Mapping[Mode, Matrix], meter: Meter) -> None:
    meter.begin("Indexing", len(collection.chunks), "chunk")
    batch: list[Point] = []
    for place, (owner, one) in enumerate(zip(collection.owners(), collection.chunks, strict=True)):
        document = collection.documents[owner]
        payload = Payload(
            workspace=WORKSPACE,
            version=_VERSION,
            document=owner,
            content="",
            name=document.name,
            key=owner,
            title=document.title,
            media_type=document.media_type,
            language=document.language,
            chunk=one,
        )
        rows = {mode: matrix[place] for mode, matrix in vectors.items()}
        terms = " ".join(terms_of(payload, collection.spec.analyser))
        batch.append(Point(point_id(_VERSION, owner, one.ordinal), rows, payload, terms))
        if len(batch) == _WRITTEN or place + 1 == len(collection.chunks):
            index.upsert(batch)
            meter.step(len(batch))
            batch = []
