"""Whose an index and originals are. They carry the id of their catalog, and no other catalog uses or removes them.

What nobody has claimed, as version 0.2.0 left it, is claimed by the catalog that lists some of it. A catalog that knows
none of it is new, or of another installation: it is refused, whatever was asked for.
"""

from __future__ import annotations

from contextlib import suppress

from rag.catalog.catalog import Catalog
from rag.catalog.records import VersionState
from rag.errors import CatalogError, DiskFullError, IndexLockedError, IndexUnavailableError, VectorIndexError
from rag.types import IndexEngine, VectorIndex

REMEDY = (
    "Nothing was changed. Let RAG_DATABASE_URL and RAG_DATA_DIR name what they named before; or, when the catalog is "
    "lost, run `python -m rag check --repair`, which rebuilds it from index and originals."
)
_COMPLETE = (VersionState.CURRENT, VersionState.READY)


def require_data_folder(catalog: Catalog, engine: IndexEngine) -> None:
    """Refuse a catalog beside originals or an embedded index that it does not own, and claim what it lists.

    Collections on a server are looked at one by one, when they are opened: others may share it.

    Raises:
        CatalogError: The originals are another catalog's.
        VectorIndexError: The index is another catalog's.
    """
    originals = catalog.originals
    if originals.owner != catalog.id:
        if not _may_claim_originals(catalog):
            raise CatalogError(_foreign(f"originals in {originals.folder}", originals.owner))
        with suppress(DiskFullError):  # it may be read, and is claimed when there is room
            originals.claim(catalog.id)
            write_missing_cards(catalog)
    if engine.kind == "embedded" and not _knows_a_collection(catalog, engine):
        for name in engine.collections():
            index = engine.open_as_built(name)
            if index is not None and index.count():
                raise VectorIndexError(_foreign(f"points of the index {name}", engine.owner(name)))


def require_collection(catalog: Catalog, engine: IndexEngine, index: VectorIndex) -> None:
    """Refuse an open collection that belongs to another catalog, and claim one that is empty or known.

    Raises:
        VectorIndexError: It is another catalog's.
    """
    owner = engine.owner(index.name)
    if owner == catalog.id:
        return
    versions = index.versions()
    if versions and (owner or not versions & catalog.version_ids()):
        raise VectorIndexError(_foreign(f"points of the index {index.name}", owner))
    with suppress(DiskFullError):
        engine.claim(index.name, catalog.id)


def require_unclaimed(catalog: Catalog, engine: IndexEngine, name: str) -> None:
    """Refuse a collection that another catalog has claimed.

    Raises:
        VectorIndexError: It is another catalog's.
    """
    if engine.owner(name) not in ("", catalog.id):
        raise VectorIndexError(_foreign(f"points of the index {name}", engine.owner(name)))


def unknown_versions(catalog: Catalog, index: VectorIndex) -> set[str]:
    """Return the versions that have points in a collection and are not in the catalog: it may be an older copy."""
    versions = index.versions()  # first: whatever is in the index by now was recorded in the catalog before
    return versions - catalog.version_ids()


def drop_collection(catalog: Catalog, engine: IndexEngine, name: str) -> bool:
    """Remove a collection, when it is not another catalog's and all versions in it are in the catalog.

    What the catalog does not know stays: an older copy of it may have been put back, and `check` reports it.

    Returns:
        True when there is no such collection now.
    """
    if name not in engine.collections():
        return True
    if engine.owner(name) not in ("", catalog.id) or _unknown_in(catalog, engine, name):
        return False
    engine.drop(name)
    return True


def _unknown_in(catalog: Catalog, engine: IndexEngine, name: str) -> set[str]:
    """Return the versions in a collection that the catalog does not know; of a damaged one, those that have a card."""
    try:
        index = engine.open_as_built(name)
        return set() if index is None else unknown_versions(catalog, index)
    except (IndexLockedError, IndexUnavailableError):
        raise
    except VectorIndexError:
        cards = catalog.originals.cards.all()
        return {card.version for card in cards if card.collection == name} - catalog.version_ids()


def write_missing_cards(catalog: Catalog) -> int:
    """Write the cards that complete versions lack: of version 0.2.0, or lost in a power cut. Return how many."""
    cards = catalog.originals.cards
    written = cards.versions()
    missing = [card for card in catalog.recovery.cards(*_COMPLETE) if card.version not in written]
    cards.add(missing)
    return len(missing)


def _may_claim_originals(catalog: Catalog) -> bool:
    """True for an empty folder, and for one that nobody has claimed with a file in it that the catalog lists."""
    stored = set(catalog.originals.all())
    return not stored or (not catalog.originals.owner and not stored.isdisjoint(catalog.wanted_originals()))


def _knows_a_collection(catalog: Catalog, engine: IndexEngine) -> bool:
    owners = {name: engine.owner(name) for name in engine.collections()}
    unclaimed = {name for name, owner in owners.items() if not owner}
    return catalog.id in owners.values() or not unclaimed.isdisjoint(catalog.recovery.collections())


def _foreign(things: str, owner: str) -> str:
    whose = f"the catalog {owner}" if owner else "a catalog that lists them"
    return (
        f"The {things} belong to {whose}, and the catalog that is open now does not know them: they are of another "
        f"installation, or the catalog was lost and a new one was made. {REMEDY}"
    )
