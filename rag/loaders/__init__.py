"""Files to documents: one loader per format, in separate processes for formats whose parsers can hang or crash.

`LoaderPool.documents(path, name)` is what ingest uses; `load(path, name)` parses in this process.
"""

from __future__ import annotations

from rag.loaders.cleaning import CLEANING
from rag.loaders.names import safe_name
from rag.loaders.pool import LoaderPool
from rag.loaders.registry import DEFAULT_MAX_BYTES, detect, formats, load

__all__ = ["CLEANING", "DEFAULT_MAX_BYTES", "LoaderPool", "detect", "formats", "load", "safe_name"]
