"""Where vectors and BM25 terms live: one Protocol (`rag.types.VectorIndex`), two engines.

The embedded engine keeps a folder per collection in the data folder; the server engine uses a Qdrant server or cluster.
"""

from __future__ import annotations

from rag.index.engines.embedded import EmbeddedEngine
from rag.index.engines.server import ServerEngine
from rag.index.recipe import check_recipe, collection_name, describe_difference, fingerprint, point_id
from rag.settings import Settings
from rag.types import IndexEngine

__all__ = [
    "EmbeddedEngine",
    "ServerEngine",
    "check_recipe",
    "collection_name",
    "describe_difference",
    "fingerprint",
    "open_engine",
    "point_id",
]


def open_engine(settings: Settings) -> IndexEngine:
    """The engine that the settings ask for: a server when `RAG_QDRANT_URL` is set, else the embedded one."""
    if settings.qdrant_url:
        return ServerEngine(settings.qdrant_url, settings.qdrant_api_key.get_secret_value())
    return EmbeddedEngine(settings.data_dir / "index")
