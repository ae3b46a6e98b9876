"""Compares catalog, originals and index with each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rag.catalog import Catalog
from rag.catalog.ownership import require_data_folder
from rag.errors import CatalogError, IndexLockedError, IndexUnavailableError, VectorIndexError
from rag.jobs import Meter
from rag.maintenance.findings import Finding, FindingKind
from rag.maintenance.survey import Survey, owned_collections
from rag.types import IndexEngine

_REPAIR = "`python -m rag check --repair`"
_AGAIN = "Ingest the file again."


def ownership(catalog: Catalog, engine: IndexEngine) -> list[Finding]:
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
        return [Finding(FindingKind.OWNER, str(exc))]
    foreign = [name for name in owned_collections(catalog, engine) if engine.owner(name) not in ("", catalog.id)]
    return [
        Finding(FindingKind.OWNER, f"It belongs to the catalog {engine.owner(name)}, not to this one.", name=name)
        for name in foreign
    ]


def damages(catalog: Catalog) -> list[Finding]:
    """Find what is wrong with the catalog's own file."""
    remedy = f"Restore it from a backup; or move it away, with its -wal and -shm files, and run {_REPAIR}."
    return [Finding(FindingKind.CATALOG, f"The database is damaged ({fault}). {remedy}") for fault in catalog.faults()]


def indexes(survey: Survey) -> Iterator[Finding]:
    """Find indexes that are gone or damaged, and files whose chunks are not all there."""
    tasks = {version.task for version in survey.current}
    for task in sorted(tasks):
        collection = survey.active.get(task, "")
        if collection in survey.damaged:
            yield Finding(FindingKind.INDEX, survey.damaged[collection], task, collection)
        elif collection not in survey.counts:
            message = (
                f"It is missing. `python -m rag reindex --task {task}`, or {_REPAIR}, builds it from the originals."
            )
            yield Finding(FindingKind.INDEX, message, task, collection)
    for version in survey.current:
        counts = survey.counts.get(survey.active.get(version.task, ""))
        count = 0 if counts is None else counts.get(version.id, 0)
        if counts is not None and count != version.chunks:
            message = f"The index holds {count:,} of its {version.chunks:,} chunks. {_REPAIR} builds them again."
            yield Finding(FindingKind.CHUNKS, message, version.task, version.name)
    for collection, reason in survey.damaged.items():
        if collection not in survey.active.values():
            yield Finding(FindingKind.LEFTOVER, f"It is not in use, and damaged: {reason}", name=collection)


def unlisted(survey: Survey, catalog: Catalog) -> Iterator[Finding]:
    """Find complete versions that the catalog does not list, and points that nothing is known of."""
    for card in survey.unlisted():
        state = "" if catalog.originals.has(card.sha256) else ", although its original is missing"
        message = f"It is complete, and the catalog does not list it{state}. {_REPAIR} takes it over."
        yield Finding(FindingKind.UNLISTED, message, card.task, card.name)
    for collection, versions in survey.unknown().items():
        for version, count in versions.items():
            message = (
                f"{count:,} chunks of the version {version}, which nothing lists; no search returns them. `python -m rag "
                "check --repair --remove-unknown` removes them."
            )
            yield Finding(FindingKind.UNKNOWN, message, name=collection)


def originals(survey: Survey, catalog: Catalog, meter: Meter) -> Iterator[Finding]:
    """Find originals that are missing or changed, reading all of them, and such that nothing refers to."""
    meter.begin("Originals", len(survey.current), "file", weight=sum(version.size for version in survey.current))
    stored, intact = catalog.originals, dict[str, bool]()
    for version in survey.current:
        sha256 = version.sha256
        if sha256 not in intact:
            intact[sha256] = stored.is_intact(sha256)
        if not stored.has(sha256):
            message = f"Its original is missing, so that it cannot be built again. {_AGAIN}"
            yield Finding(FindingKind.MISSING_ORIGINAL, message, version.task, version.name)
        elif not intact[sha256]:
            message = f"Its original was changed since it was ingested. {_REPAIR} sets it aside. {_AGAIN}"
            yield Finding(FindingKind.CHANGED_ORIGINAL, message, version.task, version.name)
        meter.step(weight=version.size, item=version.name)
    for sha256 in orphans(survey, catalog):
        message = "An original that nothing refers to. `python -m rag check --repair --remove-unknown` removes it."
        yield Finding(FindingKind.UNKNOWN, message, name=sha256)


def orphans(survey: Survey, catalog: Catalog) -> list[str]:
    """Return the SHA-256 of originals that neither the catalog nor a card refers to."""
    named = catalog.wanted_originals() | {card.sha256 for card in survey.cards.values()}
    return sorted(set(catalog.originals.all()) - named)


def leftovers(catalog: Catalog) -> Iterator[Finding]:
    """Find half-written files. Only while nobody writes."""
    for path in catalog.originals.half_written():
        yield Finding(FindingKind.LEFTOVER, f"Left by a killed process. {_REPAIR} removes it.", name=_short(path))


def _short(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
