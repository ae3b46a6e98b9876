"""The encoder as an OpenVINO graph, written down operation by operation from the weights; torch is not needed.

In int8 the input of a dense layer is smoothed, channel by channel, and rounded to 256 steps, and its matrix is rounded
to 255 steps for each output; the rest stays as it is. `int8.npz` holds the smoothing and the ranges, measured once by
`python -m bench.calibrate` on texts in ten languages, so that every machine computes the same vectors. The layers after
the GELU lose by far the most accuracy and are not in it.

Source:
    Xiao et al. 2022, SmoothQuant, equation 4; the strength and the ranges are searched for each layer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag.embedding.vendor import import_openvino

if TYPE_CHECKING:
    from rag.embedding.weights import Weights

_MASKED = -30_000.0
"""Added to the attention scores of padding; in range for half precision too."""

Rounding = Callable[[NDArray[np.float32]], tuple[NDArray[np.int8], NDArray[np.float32]]]
"""A matrix (outputs, inputs) to steps in [-127, 127] and the size of a step, shape (outputs, 1)."""


@dataclass(frozen=True, slots=True)
class Range:
    """Rounding of the input of a dense layer: divided by `smoothing`, then 256 steps from `low` to `high`."""

    smoothing: NDArray[np.float32]
    low: float
    high: float


def input_of(name: str) -> str:
    """Return the name of the input that a dense layer reads: query, key and value read the same one."""
    return f"{name[:-2]}.q" if name.endswith((".k", ".v")) else name


def load_ranges(path: Path) -> dict[str, Range]:
    """Load the measured ranges by input."""
    with np.load(path) as file:
        limits = {name: file[name] for name in file.files if not name.endswith("/smoothing")}
        return {
            name: Range(file[f"{name}/smoothing"].astype(np.float32), float(low), float(high))
            for name, (low, high) in limits.items()
        }


def save_ranges(ranges: Mapping[str, Range], path: Path) -> None:
    """Write a file for `load_ranges`."""
    arrays = {name: np.array([r.low, r.high], np.float32) for name, r in ranges.items()}
    arrays |= {f"{name}/smoothing": r.smoothing.astype(np.float16) for name, r in ranges.items()}
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]


def round_matrix(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round a matrix (outputs, inputs) to steps in [-127, 127] and the size of a step, shape (outputs, 1)."""
    scale = np.maximum(np.abs(matrix).max(axis=1, keepdims=True), 1e-12) / np.float32(127)
    return np.clip(np.rint(matrix / scale), -127, 127).astype(np.int8), scale.astype(np.float32)


def round_pairs(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round like `round_matrix`, with steps so wide that two neighbours of a row together are at most 128 of them.

    A CPU without VNNI adds two products of inputs, up to 255, in 16 bits, and cuts the sum off at 32,767.
    """
    sizes = np.abs(matrix)
    pairs = sizes[:, ::2] + sizes[:, 1::2]
    # Rounding may add half a step to each of the two.
    scale = np.maximum(sizes.max(axis=1), pairs.max(axis=1)).clip(1e-12)[:, None] / np.float32(127)
    return np.clip(np.rint(matrix / scale), -127, 127).astype(np.int8), scale.astype(np.float32)


def build_encoder(
    weights: Weights, ranges: Mapping[str, Range] | None = None, rounding: Rounding = round_matrix
) -> Any:
    """Write the encoder, without its word embedding, as a graph.

    Inputs are `states`, float32 (texts, tokens, width): word, position and type embeddings summed; and `mask`,
    float32 (texts, tokens): 1 for a token, 0 for padding. The output is the mean over the tokens, float32
    (texts, width), not yet of length one.

    Args:
        weights: The weights of any BERT.
        ranges: Inputs of dense layers that are computed in int8; none by default.
        rounding: How their matrices are rounded.

    Returns:
        An `openvino.Model`.
    """
    ov = import_openvino()
    ops = ov.opset13

    builder = Builder(weights, ranges or {}, rounding)
    states, mask, hidden = builder.encoder()
    weighted = ops.multiply(hidden, ops.unsqueeze(mask, np.int64(2)))
    total = ops.reduce_sum(weighted, _axes(1))
    count = ops.reduce_sum(mask, _axes(1), keep_dims=True)
    return ov.Model([ops.divide(total, count)], [states, mask], "e5")


class Builder:
    """Layers out of named tensors.

    Attributes:
        inputs: Input of each dense layer, by `input_of`.
    """

    def __init__(self, weights: Weights, ranges: Mapping[str, Range], rounding: Rounding) -> None:
        from openvino import opset13

        self._ops: Any = opset13
        self._weights = weights
        self._ranges = ranges
        self._rounding = rounding
        self._rounded: dict[str, Any] = {}
        self.inputs: dict[str, Any] = {}

    def encoder(self) -> tuple[Any, Any, Any]:
        """Return the parameters `states` and `mask`, and the last hidden states."""
        ops, width = self._ops, self._weights.sizes.width
        states = ops.parameter([-1, -1, width], np.float32, name="states")
        mask = ops.parameter([-1, -1], np.float32, name="mask")
        allowed = ops.multiply(ops.subtract(mask, np.float32(1.0)), np.float32(-_MASKED))
        allowed = ops.unsqueeze(allowed, _axes(1, 2))
        hidden = self._normalise(states, "emb.ln")
        for layer in range(self._weights.sizes.layers):
            hidden = self._layer(hidden, allowed, f"l{layer}")
        return states, mask, hidden

    def _layer(self, hidden: Any, allowed: Any, name: str) -> Any:
        attended = self._dense(self._attention(hidden, allowed, name), f"{name}.ao")
        hidden = self._normalise(self._ops.add(hidden, attended), f"{name}.aln")
        inner = self._ops.gelu(self._dense(hidden, f"{name}.fi"), "erf")
        return self._normalise(self._ops.add(hidden, self._dense(inner, f"{name}.fo")), f"{name}.oln")

    def _attention(self, hidden: Any, allowed: Any, name: str) -> Any:
        query, key, value = (self._heads(self._dense(hidden, f"{name}.{part}")) for part in "qkv")
        scale = np.float32(1.0 / math.sqrt(self._weights.sizes.width // self._weights.sizes.heads))
        mixed = self._ops.scaled_dot_product_attention(query, key, value, allowed, scale, causal=False)
        mixed = self._ops.transpose(mixed, _axes(0, 2, 1, 3))
        return self._ops.reshape(mixed, _axes(0, 0, self._weights.sizes.width), True)

    def _heads(self, hidden: Any) -> Any:
        heads = self._weights.sizes.heads
        split = self._ops.reshape(hidden, _axes(0, 0, heads, self._weights.sizes.width // heads), True)
        return self._ops.transpose(split, _axes(0, 2, 1, 3))

    def _normalise(self, hidden: Any, name: str) -> Any:
        normal = self._ops.mvn(hidden, _axes(-1), True, self._weights.sizes.epsilon, "inside_sqrt")
        scaled = self._ops.multiply(normal, _row(self._weights.tensor(f"{name}.w")))
        return self._ops.add(scaled, _row(self._weights.tensor(f"{name}.b")))

    def _dense(self, hidden: Any, name: str) -> Any:
        matrix, bias = self._weights.tensor(f"{name}.w"), self._weights.tensor(f"{name}.b")
        self.inputs[input_of(name)] = hidden
        limits = self._ranges.get(input_of(name))
        if limits is None:  # computed as it is
            constant = self._ops.constant(matrix)
        else:
            hidden = self._round(hidden, input_of(name), limits)
            constant = self._int8(matrix * limits.smoothing)
        return self._ops.add(self._ops.matmul(hidden, constant, False, True), _row(bias))

    def _round(self, hidden: Any, name: str, limits: Range) -> Any:
        if name not in self._rounded:  # query, key and value share one rounded input
            smooth = self._ops.multiply(hidden, _row(1.0 / limits.smoothing))
            low, high = (np.full((1, 1, 1), value, np.float32) for value in (limits.low, limits.high))
            self._rounded[name] = self._ops.fake_quantize(smooth, low, high, low, high, 256)
        return self._rounded[name]

    def _int8(self, matrix: NDArray[np.float32]) -> Any:
        steps, scale = self._rounding(matrix)
        return self._ops.multiply(self._ops.convert(self._ops.constant(steps), np.float32), self._ops.constant(scale))


def _row(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return values.astype(np.float32).reshape(1, 1, -1)


def _axes(*values: int) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


def save_encoder(model: Any, folder: Path) -> None:
    """Write `encoder.xml` and `encoder.bin` into the folder."""
    import_openvino().save_model(model, folder / "encoder.xml", compress_to_fp16=False)
