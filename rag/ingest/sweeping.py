"""Removes what nobody sees any more: points first, then rows, then originals."""

from __future__ import annotations

import time
from collections import defaultdict

from rag.catalog import VersionState
from rag.ingest.indexes import Indexes
from rag.ingest.items import sweep_uploads

_DAY = 86400.0
_KEPT = {VersionState.PENDING: _DAY, VersionState.READY: 7 * _DAY}
"""How long unfinished work is kept, so that it can be resumed without embedding it again."""


def purge(indexes: Indexes, task: str) -> int:
    """Remove the points, rows and originals of a task's stale versions. Only the writer may call it.

    Returns:
        How many versions were removed.
    """
    catalog = indexes.catalog
    stale = catalog.versions(VersionState.STALE, task=task)
    if not stale:
        return 0
    by_collection: dict[str, list[str]] = defaultdict(list)
    for version in stale:
        by_collection[version.collection].append(version.id)
    active = indexes.active(task)
    unfinished = {v.collection for v in catalog.versions(VersionState.PENDING, VersionState.READY, task=task)}
    gone: list[str] = []
    for collection, versions in by_collection.items():
        if active is not None and collection == active.name:
            active.delete_versions(versions)
        elif collection in unfinished:
            continue  # a reindex that can be resumed; the collection goes, or becomes active, as a whole
        else:
            indexes.drop(collection)
        gone += versions
    catalog.forget(gone)
    for sha256 in {version.sha256 for version in stale} - catalog.wanted_originals():
        catalog.originals.remove(sha256)
    return len(gone)


def sweep(indexes: Indexes) -> int:
    """Remove what interrupted work left behind, unless somebody is writing at the moment. For the start of a program.

    Versions that were interrupted less than a day ago stay, hidden: the next ingest of their file reuses their vectors
    and then drops them. A reindex can be resumed for a week.

    Returns:
        How many versions were removed.
    """
    catalog = indexes.catalog
    with catalog.writer.attempt() as alone:
        if not alone:
            return 0
        now = time.time()
        left = catalog.versions(*_KEPT)
        catalog.retire([version.id for version in left if version.created < now - _KEPT[version.state]])
        removed = sum(purge(indexes, task) for task in {v.task for v in catalog.versions(VersionState.STALE)})
        catalog.originals.sweep(catalog.wanted_originals())
        sweep_uploads(indexes.settings.data_dir)
        return removed
