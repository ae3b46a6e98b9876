"""Where vectors and BM25 terms live: one Protocol (`rag.types.VectorIndex`), any number of engines.

The embedded engine keeps a folder per collection in the data folder; the server engine uses a Qdrant server or cluster.
Another engine is one more module in `engines/`.
"""

from __future__ import annotations

from rag.index.engines import discover_engines, engine_in_force, open_engine
from rag.index.payload import content_hash, point_id
from rag.index.recipe import collection_name, describe_difference, fingerprint, recipe_from, vector_key

__all__ = [
    "collection_name",
    "content_hash",
    "describe_difference",
    "discover_engines",
    "engine_in_force",
    "fingerprint",
    "open_engine",
    "point_id",
    "recipe_from",
    "vector_key",
]
