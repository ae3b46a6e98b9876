"""A Qdrant in memory that may be used from several threads, as a server may."""

from __future__ import annotations

import functools
import threading
from typing import Any

from qdrant_client import QdrantClient


class _OneAtATime:
    """Calls of an object, one at a time; qdrant-client's local mode has no lock of its own."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._lock = threading.RLock()

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._inner, name)
        if not callable(attribute):
            return attribute

        @functools.wraps(attribute)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self._lock:
                return attribute(*args, **kwargs)

        return call


def memory_client() -> QdrantClient:
    """A client with an empty Qdrant of its own."""
    client = QdrantClient(":memory:")
    client._client = _OneAtATime(client._client)
    return client
