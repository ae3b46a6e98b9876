"""The product's own index over a dataset, in a folder that is removed at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rag.evaluation.run.chunked import ChunkedCorpus
from rag.evaluation.run.context import EvaluationContext
from rag.files import Scratch
from rag.index import open_engine, point_id
from rag.recipes import RecipeInForce
from rag.retrieval.analyser import terms_of
from rag.types import Filter, Matrix, Mode, Payload, Point, VectorIndex

WORKSPACE = "evaluation"
VISIBLE = Filter(WORKSPACE)
"""Every point of a dataset's index."""
_VERSION = "1"
_UPSERT_POINTS = 1024


@contextmanager
def temporary_index(
    context: EvaluationContext, corpus: ChunkedCorpus, recipe: RecipeInForce, vectors: Matrix | None
) -> Iterator[VectorIndex]:
    """Open an index over a corpus.

    Args:
        context: Embedder and meter.
        corpus: The documents and their chunks.
        recipe: Task and prompts of the vectors.
        vectors: Of all chunks, shape (chunks, dimension); None when only BM25 is searched.
    """
    with Scratch(context.settings.data_dir) as folder:
        settings = context.settings.model_copy(update={"data_dir": folder, "engine": "embedded"})
        engine = open_engine(settings)
        try:
            index = engine.open(recipe.identity(context.embedder))
            points = list(_points(corpus, recipe.task.mix.analyser, vectors))
            context.meter.begin("Indexing", len(points), "chunk")
            for start in range(0, len(points), _UPSERT_POINTS):
                batch = points[start : start + _UPSERT_POINTS]
                index.upsert(batch)
                context.meter.step(len(batch))
            yield index
        finally:
            engine.close()


def _points(corpus: ChunkedCorpus, analyser: str, vectors: Matrix | None) -> Iterator[Point]:
    for row, (owner, chunk) in enumerate(corpus.chunks):
        document = corpus.documents[owner]
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
            chunk=chunk,
        )
        by_mode = {} if vectors is None else {Mode.TASK_AWARE: vectors[row]}
        yield Point(point_id(_VERSION, owner, chunk.ordinal), by_mode, payload, " ".join(terms_of(payload, analyser)))
