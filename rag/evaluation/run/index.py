"""The product's own index over a dataset, in a folder that is removed at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from rag.evaluation.run.chunked import ChunkedCorpus
from rag.evaluation.run.context import EvaluationContext
from rag.evaluation.run.embedded import EmbeddedDataset
from rag.files import Scratch
from rag.index import open_engine, point_id
from rag.recipes import RecipeInForce
from rag.retrieval.analyser import terms_of
from rag.types import Filter, FurtherVector, Payload, Point, Recipe, VectorIndex

WORKSPACE = "evaluation"
VISIBLE = Filter(WORKSPACE)
"""Every point of a dataset's index."""
_VERSION = "1"
_UPSERT_POINTS = 1024


@contextmanager
def temporary_index(
    context: EvaluationContext, corpus: ChunkedCorpus, recipe: RecipeInForce, embedded: EmbeddedDataset
) -> Iterator[VectorIndex]:
    """Open an index over a corpus.

    Args:
        context: Embedders and meter.
        corpus: The documents and their chunks.
        recipe: Its task says how texts are analysed.
        embedded: Vectors of all chunks, which the index has by the same names; none when only BM25 is searched.
    """
    with Scratch(context.settings.data_dir) as folder:
        settings = context.settings.model_copy(update={"data_dir": folder, "engine": "embedded"})
        engine = open_engine(settings)
        try:
            index = engine.open(_identity(context, recipe, embedded))
            points = list(_points(corpus, recipe.task.mix.analyser, embedded))
            context.meter.begin("Indexing", len(points), "chunk")
            for start in range(0, len(points), _UPSERT_POINTS):
                batch = points[start : start + _UPSERT_POINTS]
                index.upsert(batch)
                context.meter.step(len(batch))
            yield index
        finally:
            engine.close()


def _identity(context: EvaluationContext, recipe: RecipeInForce, embedded: EmbeddedDataset) -> Recipe:
    """The recipe of an index that has the vectors of a run."""
    first = replace(recipe, signals=recipe.signals[:1]).identity(context.embedder)
    further = tuple(
        FurtherVector(name, embedded.models[name].id, "", "", "", matrix.shape[1], "", "")
        for name, matrix in embedded.documents.items()
    )
    return replace(first, further=further)


def _points(corpus: ChunkedCorpus, analyser: str, embedded: EmbeddedDataset) -> Iterator[Point]:
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
        vectors = {
            name: matrix[row]
            for name, matrix in embedded.documents.items()
            if not chunk.spoken or embedded.models[name].spoken in ("", chunk.spoken)
        }
        yield Point(point_id(_VERSION, owner, chunk.ordinal), vectors, payload, " ".join(terms_of(payload, analyser)))
