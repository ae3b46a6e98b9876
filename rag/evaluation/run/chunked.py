"""A dataset's documents as the product would keep them: loaded, cut and embedded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rag.chunking import chunk
from rag.embedding.pooling import pool_groups
from rag.errors import DatasetError
from rag.evaluation.data.datasets import Dataset
from rag.evaluation.run.vectors import VectorCache
from rag.jobs import Meter
from rag.loaders.rows import TableRow, documents_of_rows
from rag.tasks import TaskSpec
from rag.tasks.corpus import Record
from rag.types import Chunk, Document, Embedder, Matrix


@dataclass(frozen=True, slots=True)
class ChunkedCorpus:
    """Documents with their chunks.

    Attributes:
        documents: As the product's loader makes them, by id; those without any text are left out.
        chunks: (document id, chunk), one document after the other.
    """

    documents: Mapping[str, Document]
    chunks: tuple[tuple[str, Chunk], ...]

    @property
    def inputs(self) -> list[str]:
        """Every text that is embedded for a document, in the order of the chunks."""
        return [text for _, piece in self.chunks for text in piece.inputs]


def cut_documents(
    dataset: Dataset, task: TaskSpec, embedder: Embedder, prompts: Iterable[str], meter: Meter
) -> ChunkedCorpus:
    """Load and cut a dataset's documents as the product does.

    Args:
        dataset: Its documents are cut.
        task: Decides how they are cut.
        embedder: Counts tokens.
        prompts: Every prompt that may stand before a chunk; all of them fit, so that systems rank the same chunks.
        meter: Told of each document.

    Raises:
        DatasetError: No document has any text.
    """
    longest_prompt = max((len(embedder.token_offsets(prompt)) for prompt in set(prompts) if prompt), default=0)
    meter.begin("Reading documents", len(dataset.documents), "document")
    documents: dict[str, Document] = {}
    chunks: list[tuple[str, Chunk]] = []
    for record in dataset.documents:
        document = as_document(record, dataset.name)
        if document is not None:
            pieces = chunk(document, task.chunking, embedder.token_offsets, embedder.max_tokens, longest_prompt)
            documents[record.id] = document
            chunks += [(record.id, piece) for piece in pieces]
        meter.step()
    if not chunks:
        raise DatasetError(f"{dataset.name}: found no document with any text, expected at least one.")
    return ChunkedCorpus(documents, tuple(chunks))


def as_document(record: Record, name: str) -> Document | None:
    """Load a record as the product loads a row of a BEIR corpus; None when nothing is written in it."""
    row = TableRow(1, {"_id": "1", "title": record.title, "text": record.text})
    return next(documents_of_rows(iter([row]), name), None)


def document_vectors(corpus: ChunkedCorpus, prompt: str, cache: VectorCache, meter: Meter) -> Matrix:
    """Vectors of all chunks under one document prompt, shape (chunks, dimension); several inputs are pooled."""
    vectors = cache.encode([prompt + text for text in corpus.inputs], meter)
    return pool_groups(vectors, [len(piece.inputs) for _, piece in corpus.chunks])
