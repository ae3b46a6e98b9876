"""How an embedded shard lies in memory and on disk: while it grows, and once it is built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rag.index.payload import KEYWORDS, TERMS

CONFIG = "edge_config.json"
"""File of a shard in which the engine says how it lies."""
SEAL_FROM = 20_000
"""Points that the growing segment holds before it is sealed. It keeps its indexes in memory, about 1.5 kB a point; a
sealed one maps them from disk. Sealing so many takes about a second and a half, in which the interpreter is held."""

_LINKS = 16
_CANDIDATES = 100
_SMALLEST_KB = 100
_QUANTILE = 0.99
_NEVER = 1_000_000_000


def growing(edge: Any, sizes: Mapping[str, int]) -> Any:
    """Return the layout of a growing shard: plain segments on disk that a search scans, each sealed when it is full."""
    return _config(edge, sizes, hnsw_config=edge.HnswIndexConfig(m=0, ef_construct=4, full_scan_threshold=10_000))


def built(edge: Any, sizes: Mapping[str, int], *, merge: bool) -> Any:
    """Return the layout of a built shard: a graph and 8-bit vectors in memory, exact vectors and payloads on disk.

    Args:
        edge: The engine's module.
        sizes: Length of each named vector.
        merge: True when optimising shall make one segment of all, without deleted points. Only for the build's own
            process; the app seals what was written later beside the built segment.
    """
    return _config(
        edge,
        sizes,
        merge=merge,
        hnsw_config=edge.HnswIndexConfig(
            m=_LINKS, ef_construct=_CANDIDATES, full_scan_threshold=10_000, memory=edge.Memory.Cached
        ),
        quantization_config=edge.ScalarQuantizationConfig(
            edge.ScalarType.Int8, quantile=_QUANTILE, memory=edge.Memory.Cached
        ),
    )


def create_indexes(edge: Any, shard: Any) -> None:
    """Index all payload fields, on disk where a segment is sealed."""
    keyword = edge.KeywordIndexParams(memory=edge.Memory.Cold)
    terms = edge.TextIndexParams(scoring=True, memory=edge.Memory.Cold)
    for field in (*KEYWORDS, TERMS):
        shard.update(edge.UpdateOperation.create_field_index(field, terms if field == TERMS else keyword))


def _config(edge: Any, sizes: Mapping[str, int], *, merge: bool = False, **others: Any) -> Any:
    sealing = edge.EdgeOptimizersConfig(
        deleted_threshold=1.0,
        vacuum_min_vector_number=_NEVER,
        default_segment_number=_NEVER,
        max_segment_size=_NEVER,
        indexing_threshold=_SMALLEST_KB,
    )
    merging = edge.EdgeOptimizersConfig(indexing_threshold=_SMALLEST_KB, default_segment_number=1)
    return edge.EdgeConfig(
        vectors={
            name: edge.EdgeVectorParams(size, edge.Distance.Cosine, memory=edge.Memory.Cold)
            for name, size in sizes.items()
        },
        optimizers=merging if merge else sealing,
        payload_memory=edge.Memory.Cold,
        id_tracker_memory=edge.Memory.Cold,
        wal_enabled=True,
        **others,
    )
