"""Measure the ranges of a bundled model's int8 encoder: `python -m bench.calibrate --model bundled/all-MiniLM-L6-v2`.

Only needed when the weights change. For each input of a dense layer, smoothing strengths are tried on texts in ten
languages and on pages of Python's own manual; the one that changes the layer's output least stays. Ranges are never
clipped: a few tokens carry very large values that matter. The inputs in `EXACT`, after the GELU, lose by far the most
accuracy when rounded, so they stay as they are; so do the outputs of MiniLM's attention.
"""

from __future__ import annotations

import argparse
import pydoc_data.topics
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.embedding import graph
from rag.embedding.bundled import Frontend
from rag.embedding.bundles import BUNDLES, Bundle, open_frontend
from rag.embedding.weights import Weights
from rag.models import BUNDLED, MINILM, MODELS, prompt
from rag.types import Role
from tests.embedding.texts import TEXTS

Array = NDArray[np.float32]
EXACT = {BUNDLED: (".fo",), MINILM: (".fo", ".ao")}
"""Endings of the inputs that are not rounded; a third of the work and a twelfth."""
STRENGTHS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9)
MARGIN = 1.1
"""Width of the ranges as a multiple of the values observed."""
MANUAL_PAGES = 60
PAGE_CHARS = 1500
SAMPLE = 1000
"""Tokens on which a candidate's error is measured."""


def observe(weights: Weights, frontend: Frontend, texts: Sequence[str], exact: tuple[str, ...]) -> dict[str, Array]:
    """Inputs of each dense layer over all tokens of the texts, as float16 to save memory."""
    import openvino as ov

    builder = graph.Builder(weights, {}, graph.round_matrix)
    states, mask, _ = builder.encoder()
    names = [name for name in builder.inputs if not name.endswith(exact)]
    model = ov.Model([builder.inputs[name] for name in names], [states, mask], "observed")
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    inputs: dict[str, list[Array]] = {name: [] for name in names}
    for text in texts:
        outputs = compiled(frontend.states(frontend.ids([text])))
        for index, name in enumerate(names):
            inputs[name].append(outputs[index][0].astype(np.float16))
    return {name: np.concatenate(parts) for name, parts in inputs.items()}


def search(inputs: Array, matrices: Sequence[Array], rounding: graph.Rounding) -> tuple[float, graph.Range]:
    """Return the relative squared error and the range that changes the layer's output least."""
    full = inputs.astype(np.float32)
    rng = np.random.default_rng(0)
    sample = full[rng.choice(len(full), min(SAMPLE, len(full)), replace=False)]
    exact = sample @ np.concatenate(matrices).T
    largest = np.abs(full).max(axis=0) + 1e-6
    heaviest = np.abs(np.concatenate(matrices)).max(axis=0) + 1e-9
    best: tuple[float, graph.Range] | None = None
    for strength in STRENGTHS:
        smoothing = largest**strength / heaviest ** (1 - strength) if strength else np.ones_like(largest)
        smoothing = (smoothing / np.exp(np.log(smoothing).mean())).astype(np.float16).astype(np.float32)
        rounded = np.concatenate([np.multiply(*rounding(matrix * smoothing)) for matrix in matrices])
        smooth = full / smoothing
        limits = graph.Range(smoothing, MARGIN * float(smooth.min()), MARGIN * float(smooth.max()))
        error = float(np.square(round_inputs(sample / smoothing, limits) @ rounded.T - exact).mean())
        if best is None or error < best[0]:
            best = error, limits
    assert best is not None
    return best[0] / float(np.square(exact).mean()), best[1]


def round_inputs(smooth: Array, limits: graph.Range) -> Array:
    """Round smoothed inputs to 256 steps within the limits."""
    step = (limits.high - limits.low) / 255
    return np.clip(np.rint((smooth - limits.low) / step), 0, 255) * np.float32(step) + np.float32(limits.low)


def calibrate(
    bundle: Bundle, frontend: Frontend, texts: Sequence[str], exact: tuple[str, ...]
) -> Mapping[str, graph.Range]:
    """Ranges of all inputs but the exact ones."""
    weights, ranges = bundle.read(), {}
    for name, inputs in observe(weights, frontend, texts, exact).items():
        error, ranges[name] = search(inputs, _matrices(weights, name), bundle.rounding)
        print(f"{name:7} error {error:.6f}")
    return ranges


def _matrices(weights: Weights, name: str) -> list[Array]:
    layers = [name[:-1] + part for part in "qkv"] if name.endswith(".q") else [name]
    return [weights.tensor(f"{layer}.w") for layer in layers]


def calibration_texts(model: str) -> list[str]:
    """Pages of the manual as documents, and the hundred texts with each of the model's prompts and without."""
    query, document = (prompt(MODELS[model], "qa", role) for role in (Role.QUERY, Role.DOCUMENT))
    topics = [text for _, text in sorted(pydoc_data.topics.topics.items()) if len(text) > PAGE_CHARS]
    pages = [document + text[:PAGE_CHARS] for text in topics[:MANUAL_PAGES]]
    return pages + [prefix + text for prefix in dict.fromkeys((query, document, "")) for text in TEXTS]


def main() -> None:
    """Write the ranges."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=list(BUNDLES), default=BUNDLED)
    model = parser.parse_args().model
    bundle = BUNDLES[model]
    with tempfile.TemporaryDirectory() as folder:
        frontend = open_frontend(bundle, Path(folder))
        ranges = calibrate(bundle, frontend, calibration_texts(model), EXACT[model])
    graph.save_ranges(ranges, bundle.ranges)
    print(f"written to {bundle.ranges.name}, {bundle.ranges.stat().st_size} bytes")


if __name__ == "__main__":
    main()
