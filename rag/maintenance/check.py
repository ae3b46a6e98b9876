"""Compares catalog, originals and index with each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rag.catalog import Catalog
from rag.catalog.ownership import require_data_folder
from rag.errors import CatalogError, IndexLockedError, IndexUnavailableError, VectorIndexError
from rag.jobs import Meter
from rag.maintenance.findings import Fault, FaultKind
from rag.maintenance.inventory import Inventory, owned_collections
from rag.types import IndexEngine

_REPAIR = "`python -m rag check --repair`"
_AGAIN = "Ingest the file again."


def ownership(catalog: Catalog, engine: IndexEngine) -> list[Fault]:
    """Find whether the catalog owns what lies beside it; what nobody has claimed and it lists becomes its own.

    Raises:
        IndexLockedError: Another process has the index open.
        IndexUnavailableError: The server cannot be reached or refused.
    """
    try:
        require_data_folder(catalog, engine)
    except (IndexLockedError, IndexUnavailableError):
        raise
    except (CatalogError, VectorIndexError) as exc:
        return [Fault(FaultKind.OWNER, str(exc))]
    foreign = [name for name in owned_collections(catalog, engine) if engine.owner(name) not in ("", catalog.id)]
    return [
        Fault(FaultKind.OWNER, f"It belongs to the catalog {engine.owner(name)}, not to this one.", name=name)
        for name in foreign
    ]


def damages(catalog: Catalog) -> list[Fault]:
    """Find what is wrong with the catalog's own file."""
    remedy = f"Restore it from a backup; or move it away, with its -wal and -shm files, and run {_REPAIR}."
    return [Fault(FaultKind.CATALOG, f"The database is damaged ({fault}). {remedy}") for fault in catalog.faults()]


def indexes(inventory: Inventory) -> Iterator[Fault]:
    """Find indexes that are gone or damaged, and files whose chunks are not all there."""
    tasks = {version.task for version in inventory.current}
    for task in sorted(tasks):
        collection = inventory.active.get(task, "")
        if collection in inventory.damaged:
            yield Fault(FaultKind.INDEX, inventory.damaged[collection], task, collection)
        elif collection not in inventory.counts:
            message = (
                f"It is missing. `python -m rag reindex --task {task}`, or {_REPAIR}, builds it from the originals."
            )
            yield Fault(FaultKind.INDEX, message, task, collection)
    for version in inventory.current:
        counts = inventory.counts.get(inventory.active.get(version.task, ""))
        count = 0 if counts is None else counts.get(version.id, 0)
        if counts is not None and count != version.chunks:
            message = f"The index holds {count:,} of its {version.chunks:,} chunks. {_REPAIR} builds them again."
            yield Fault(FaultKind.CHUNKS, message, version.task, version.name)
    for collection, reason in inventory.damaged.items():
        if collection not in inventory.active.values():
            yield Fault(FaultKind.LEFTOVER, f"It is not in use, and damaged: {reason}", name=collection)


def unlisted(inventory: Inventory, catalog: Catalog) -> Iterator[Fault]:
    """Find complete versions that the catalog does not list, and points that nothing is known of."""
    for card in inventory.unlisted():
        state = "" if catalog.originals.has(card.sha256) else ", although its original is missing"
        message = f"It is complete, and the catalog does not list it{state}. {_REPAIR} takes it over."
        yield Fault(FaultKind.UNLISTED, message, card.task, card.name)
    for collection, versions in inventory.unknown().items():
        for version, count in versions.items():
            message = (
                f"{count:,} chunks of the version {version}, which nothing lists; no search returns them. `python -m "
                "rag check --repair --remove-unknown` removes them."
            )
            yield Fault(FaultKind.UNKNOWN, message, name=collection)


def originals(inventory: Inventory, catalog: Catalog, meter: Meter) -> Iterator[Fault]:
    """Find originals that are missing or changed, reading all of them, and such that nothing refers to."""
    meter.begin("Originals", len(inventory.current), "file", weight=sum(version.size for version in inventory.current))
    stored, intact = catalog.originals, dict[str, bool]()
    for version in inventory.current:
        sha256 = version.sha256
        if sha256 not in intact:
            intact[sha256] = stored.is_intact(sha256)
        if not stored.has(sha256):
            message = f"Its original is missing, so that it cannot be built again. {_AGAIN}"
            yield Fault(FaultKind.MISSING_ORIGINAL, message, version.task, version.name)
        elif not intact[sha256]:
            message = f"Its original was changed since it was ingested. {_REPAIR} sets it aside. {_AGAIN}"
            yield Fault(FaultKind.CHANGED_ORIGINAL, message, version.task, version.name)
        meter.step(weight=version.size, item=version.name)
    for sha256 in orphans(inventory, catalog):
        message = "An original that nothing refers to. `python -m rag check --repair --remove-unknown` removes it."
        yield Fault(FaultKind.UNKNOWN, message, name=sha256)


def orphans(inventory: Inventory, catalog: Catalog) -> list[str]:
    """Return the SHA-256 of originals that neither the catalog nor a card refers to."""
    named = catalog.wanted_originals() | {card.sha256 for card in inventory.cards.values()}
    return sorted(set(catalog.originals.all()) - named)


def leftovers(catalog: Catalog) -> Iterator[Fault]:
    """Find half-written files. Only while nobody writes."""
    for path in catalog.originals.half_written():
        yield Fault(FaultKind.LEFTOVER, f"Left by a killed process. {_REPAIR} removes it.", name=_short(path))


def _short(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
