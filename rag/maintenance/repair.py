"""Brings catalog, originals and index back into line, and says line by line what was done."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from rag.catalog import NewDocument, VersionCard, VersionRecord
from rag.catalog.ownership import REMEDY, write_missing_cards
from rag.errors import CatalogError, RagError, RecipeMismatchError, VectorIndexError
from rag.ingest import Indexes, IngestItem, Ingestor
from rag.ingest.index_records import record_as_built
from rag.jobs import Meter, OnProgress
from rag.maintenance.check import orphans
from rag.maintenance.inventory import Inventory, opened, owned_collections, take_inventory
from rag.types import Filter, VectorIndex

_LOG = logging.getLogger(__name__)


class Repair:
    """Mends what a check finds. Each step looks anew at what is there, so that a repair that was stopped goes on.

    Args:
        indexes: The indexes of all tasks, and the catalog.
        progress: Called in this thread.
        cancel: Set it to stop soon.
        removes_unknown: Whether points, originals and collections that nothing refers to are removed.

    Attributes:
        actions: What was done so far, one line each.
    """

    def __init__(
        self,
        indexes: Indexes,
        progress: OnProgress | None = None,
        cancel: threading.Event | None = None,
        *,
        removes_unknown: bool = False,
    ) -> None:
        self._indexes = indexes
        self._work = progress, cancel
        self._meter = Meter(progress, cancel)
        self._catalog = indexes.catalog
        self._engine = indexes.engine
        self._removes_unknown = removes_unknown
        self.actions: list[str] = []

    def restore_catalog(self) -> None:
        """Make what lies beside the catalog its own, and take over the versions that it does not list.

        Only the writer may call it.

        Raises:
            CatalogError: The catalog is of another library.
        """
        self._take_ownership()
        for task in sorted({card.task for card in take_inventory(self._catalog, self._engine).unlisted()}):
            self._activate(task)
        state = take_inventory(self._catalog, self._engine)
        cards = state.unlisted()
        self._meter.begin("Taking over", len(cards), "file")
        for card in cards:
            self._adopt(card, state)
            self._meter.step(item=card.name)
        written = write_missing_cards(self._catalog)
        if written:
            self._say(f"wrote the cards of {written:,} versions beside their originals")
        self._indexes.forget()

    def clean(self) -> None:
        """Set changed originals aside and, when it is asked for, remove what nothing refers to. Only for the writer."""
        catalog = self._catalog
        for path in catalog.originals.half_written():
            path.unlink(missing_ok=True)
            self._say(f"removed the half-written file {path.name}")
        state = take_inventory(catalog, self._engine)
        for sha256 in sorted({version.sha256 for version in state.current}):
            if catalog.originals.has(sha256) and not catalog.originals.is_intact(sha256):
                path = catalog.originals.set_aside(sha256)
                names = ", ".join(sorted({v.name for v in state.current if v.sha256 == sha256}))
                self._say(f"moved the changed original of {names} to {path}: ingest it again")
        if self._removes_unknown:
            self._remove_unknown(state)

    def rebuild(self) -> None:
        """Build again from their originals what the index lost. It takes the writer's lock itself."""
        state = take_inventory(self._catalog, self._engine)
        for task in sorted({version.task for version in state.current}):
            self._meter.check()
            counts = state.counts.get(state.active.get(task, ""))
            versions = [version for version in state.current if version.task == task]
            if counts is None:
                self._reindex(task)
                continue
            lost = [v for v in versions if counts.get(v.id, 0) != v.chunks and self._catalog.originals.has(v.sha256)]
            if lost:
                self._ingest_again(task, lost)

    # -- the catalog ---------------------------------------------------------------------------------------------------

    def _take_ownership(self) -> None:
        catalog, engine = self._catalog, self._engine
        names = owned_collections(catalog, engine)
        foreign = [name for name in names if engine.owner(name) != catalog.id]
        if catalog.originals.owner != catalog.id or foreign:
            self._require_same_library(names)
        if catalog.originals.owner != catalog.id:
            catalog.originals.claim(catalog.id)
            self._say(f"the originals in {catalog.originals.folder} belong to this catalog now")
        for name in foreign:
            engine.claim(name, catalog.id)
            self._say(f"the index {name} belongs to this catalog now")

    def _require_same_library(self, collections: Sequence[str]) -> None:
        """Refuse a catalog that lists files, and none of those that are here: it is of another library."""
        catalog = self._catalog
        listed = catalog.version_ids()
        if not listed or not catalog.wanted_originals().isdisjoint(catalog.originals.all()):
            return
        indexes = [opened(self._engine, name) for name in collections]
        if all(index is None or listed.isdisjoint(index.versions()) for index in indexes):
            raise CatalogError(
                f"The catalog lists {len(listed):,} versions of files, and none of them is here. {REMEDY}"
            )

    def _activate(self, task: str) -> None:
        """Give a task without an active index the one that holds most of its versions, or a new one."""
        if self._catalog.active_index(task) is not None:
            return
        state = take_inventory(self._catalog, self._engine)
        whole: dict[str, int] = defaultdict(int)
        for card in state.cards.values():
            if card.task == task and state.counts.get(card.collection, {}).get(card.version) == card.chunks:
                whole[card.collection] += 1
        for collection in sorted(whole, key=lambda name: -whole[name]):
            try:
                recipe = self._engine.recipe(collection)
            except VectorIndexError:
                continue
            self._catalog.switch(record_as_built(recipe, collection))
            self._say(f"the index of task {task} is {collection}")
            return
        self._indexes.open(task)
        self._say(f"made a new index for task {task}")

    def _adopt(self, card: VersionCard, state: Inventory) -> None:
        collection = state.active[card.task]
        contained: list[NewDocument] = []
        if state.is_whole(card):
            index = opened(self._engine, collection)
            contained = [] if index is None else _documents(card, index)
        elif not self._catalog.originals.has(card.sha256):
            return  # neither its chunks nor its original are there
        if self._catalog.recovery.adopt(replace(card, collection=collection), contained):
            self._say(f"took over {card.name} (task {card.task}, {card.chunks:,} chunks)")

    # -- the index -----------------------------------------------------------------------------------------------------

    def _reindex(self, task: str) -> None:
        ingestor = Ingestor(self._indexes)
        try:
            report = ingestor.reindex(task, *self._work)
        except RagError as exc:
            self._say(f"the index of task {task} could not be built: {exc}")
        else:
            self._say(f"built the index of task {task} again: {report.files:,} files, {report.failed:,} failed")
        finally:
            ingestor.close()

    def _ingest_again(self, task: str, lost: Sequence[VersionRecord]) -> None:
        """Build versions anew; what is left of their chunks goes first, so that they count as lost."""
        by_workspace: dict[str, list[VersionRecord]] = defaultdict(list)
        for version in lost:
            by_workspace[version.workspace].append(version)
        for workspace, versions in by_workspace.items():
            items = [IngestItem(self._catalog.originals.path(v.sha256), v.name) for v in versions]
            ingestor = Ingestor(self._indexes, workspace=workspace)
            try:
                self._indexes.open(task).delete_versions([version.id for version in versions])
                report = ingestor.ingest(items, task, *self._work)
            except RecipeMismatchError as exc:
                self._say(f"task {task}: {len(versions):,} files could not be built: {exc}")
            else:
                for outcome in report.outcomes:
                    done = f"built again: {outcome.chunks:,} chunks" if not outcome.reason else outcome.reason
                    self._say(f"{outcome.name} (task {task}): {done}")
            finally:
                ingestor.close()

    # -- what nothing refers to ----------------------------------------------------------------------------------------

    def _remove_unknown(self, state: Inventory) -> None:
        for collection, versions in state.unknown().items():
            index = opened(self._engine, collection)
            if index is not None:
                index.delete_versions(sorted(versions))
                self._say(f"removed {sum(versions.values()):,} chunks from {collection} that nothing lists")
        for version in state.unknown().values():
            for card in (state.cards[name] for name in version if name in state.cards):
                self._catalog.originals.cards.remove(card.sha256, card.version)
        for collection in (*state.counts, *state.damaged):
            unused = collection not in state.active.values()
            if unused and self._indexes.drop(collection):
                self._say(f"removed the index {collection}, which is not in use")
        for sha256 in orphans(take_inventory(self._catalog, self._engine), self._catalog):
            self._catalog.originals.remove(sha256)
            self._say(f"removed the original {sha256}, which nothing refers to")

    def _say(self, action: str) -> None:
        self.actions.append(action)
        _LOG.info("repair: %s", action)


def _documents(card: VersionCard, index: VectorIndex) -> list[NewDocument]:
    """Return the documents of a version as its chunks tell them; length and pages are those of the last chunk."""
    documents: dict[str, NewDocument] = {}
    for batch in index.scroll(Filter(card.workspace, versions=(card.version,))):
        for point in batch:
            payload, chunk = point.payload, point.payload.chunk
            before = documents.get(payload.document)
            documents[payload.document] = NewDocument(
                version=card.version,
                id=payload.document,
                key=payload.key,
                title=payload.title,
                chars=max(chunk.end, before.chars if before else 0),
                pages=max(chunk.page_end or chunk.page_start or 0, before.pages if before else 0),
                chunks=before.chunks + 1 if before else 1,
                media_type=payload.media_type,
                language=payload.language,
            )
    return list(documents.values())
