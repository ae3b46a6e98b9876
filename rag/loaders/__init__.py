"""Files to documents: one reader a format, in separate processes, as a parser can hang or crash.

`LoaderPool.documents(path, name)` is what ingest uses; `load(path, name)` parses in this process.
"""

from __future__ import annotations

from rag.loaders.cleaning import CLEANING
from rag.loaders.names import safe_name
from rag.loaders.pool import LoaderPool
from rag.loaders.registry import DEFAULT_MAX_BYTES, all_formats, detect, load

__all__ = ["CLEANING", "DEFAULT_MAX_BYTES", "LoaderPool", "all_formats", "detect", "load", "safe_name"]
