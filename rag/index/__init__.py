"""Where vectors and BM25 terms live: one Protocol (`rag.types.VectorIndex`), any number of engines.

The embedded engine keeps a folder per collection in the data folder; the server engine uses a Qdrant server or cluster.
Another engine is one more module in `engines/`.
"""

from __future__ import annotations

from rag.index.engines import all_engines, engine_in_force, open_engine
from rag.index.engines.embedded import EmbeddedEngine
from rag.index.engines.server import ServerEngine
from rag.index.recipe import collection_name, describe_difference, fingerprint, point_id

__all__ = [
    "EmbeddedEngine",
    "ServerEngine",
    "all_engines",
    "collection_name",
    "describe_difference",
    "engine_in_force",
    "fingerprint",
    "open_engine",
    "point_id",
]
