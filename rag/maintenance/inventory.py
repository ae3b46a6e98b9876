"""Everything that a check compares, read once: versions by the catalog, by the cards and by the index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from rag.catalog import Catalog, VersionCard, VersionRecord, VersionState
from rag.errors import IndexLockedError, IndexUnavailableError, VectorIndexError
from rag.types import IndexEngine, VectorIndex


@dataclass(frozen=True, slots=True)
class Inventory:
    """What is there at one moment.

    Attributes:
        current: Versions that the catalog shows.
        listed: State of every version that the catalog lists, by id.
        cards: Cards of versions by their ids.
        counts: Points by version, for each collection that can be read.
        damaged: Why a collection cannot be read, by its name.
        active: Active collection by task.
    """

    current: list[VersionRecord]
    listed: Mapping[str, VersionState]
    cards: Mapping[str, VersionCard]
    counts: Mapping[str, Mapping[str, int]]
    damaged: Mapping[str, str] = field(default_factory=dict)
    active: Mapping[str, str] = field(default_factory=dict)

    def unlisted(self) -> list[VersionCard]:
        """Return the newest complete version of each file that is newer than what the catalog shows of it, if anything.

        The catalog does not list it, or lists it as unfinished.
        """
        current = {(v.workspace, v.task, v.name): v.created for v in self.current}
        newest: dict[tuple[str, str, str], VersionCard] = {}
        for card in sorted(self.cards.values(), key=lambda card: card.created):
            if self.listed.get(card.version, VersionState.PENDING) is VersionState.PENDING:
                name = card.workspace, card.task, card.name
                before = newest.get(name)
                # A rebuilt version of the same bytes is newer, and of no use as long as its collection is not active.
                if before is None or before.sha256 != card.sha256 or not self.is_whole(before):
                    newest[name] = card
        return [card for name, card in newest.items() if card.created > current.get(name, 0.0)]

    def is_whole(self, card: VersionCard) -> bool:
        """True when all chunks of a version are in the active index of its task, or in its own while there is none."""
        counts = self.counts.get(self.active.get(card.task, card.collection), {})
        return counts.get(card.version) == card.chunks

    def unknown(self) -> dict[str, dict[str, int]]:
        """Return points by version and collection that nothing lists and that no file is to be made of."""
        adoptable = {card.version for card in self.unlisted()}
        unknown: dict[str, dict[str, int]] = defaultdict(dict)
        for collection, counts in self.counts.items():
            for version, count in counts.items():
                if version not in self.listed and version not in adoptable:
                    unknown[collection][version] = count
        return dict(unknown)


def take_inventory(catalog: Catalog, engine: IndexEngine) -> Inventory:
    """Read what is there; the index before the catalog, so that what is written meanwhile is not taken for unknown.

    Raises:
        IndexLockedError: Another process has the index open.
        IndexUnavailableError: The server cannot be reached or refused.
    """
    counts: dict[str, dict[str, int]] = {}
    damaged: dict[str, str] = {}
    for collection in owned_collections(catalog, engine):
        try:
            index = engine.open_as_built(collection)
            counts[collection] = {} if index is None else index.version_counts()
        except (IndexLockedError, IndexUnavailableError):
            raise
        except VectorIndexError as exc:
            damaged[collection] = str(exc)
    versions = catalog.versions(*VersionState)
    active = {task: catalog.active_index(task) for task in {v.task for v in versions} | _tasks(engine)}
    return Inventory(
        current=[version for version in versions if version.state is VersionState.CURRENT],
        listed={version.id: version.state for version in versions},
        cards={card.version: card for card in catalog.originals.cards.all()},
        counts=counts,
        damaged=damaged,
        active={task: record.collection for task, record in active.items() if record is not None},
    )


def owned_collections(catalog: Catalog, engine: IndexEngine) -> list[str]:
    """Return the collections that concern this catalog: all of the data folder's, on a server those that it knows."""
    collections = engine.collections()
    if engine.kind == "embedded":
        return collections
    named = catalog.recovery.collections() | {card.collection for card in catalog.originals.cards.all()}
    return [name for name in collections if name in named or engine.owner(name) == catalog.id]


def opened(engine: IndexEngine, collection: str) -> VectorIndex | None:
    """Return a collection, or None when it is absent or damaged."""
    try:
        return engine.open_as_built(collection)
    except (IndexLockedError, IndexUnavailableError):
        raise
    except VectorIndexError:
        return None


def _tasks(engine: IndexEngine) -> set[str]:
    return {name.rpartition("-")[0] for name in engine.collections()}
