"""One check, and the repair before it when it is asked for."""

from __future__ import annotations

import threading
import time

from rag.ingest import Indexes
from rag.ingest.storing import sweep
from rag.jobs import Meter, OnProgress
from rag.maintenance import check
from rag.maintenance.findings import CheckReport, Fault, FaultKind
from rag.maintenance.inventory import take_inventory
from rag.maintenance.repair import Repair
from rag.parts import Parts


def check_library(
    parts: Parts,
    progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
    *,
    repair: bool = False,
    remove_unknown: bool = False,
) -> CheckReport:
    """Compare catalog, originals and index, of all workspaces and tasks, and mend what can be mended.

    Args:
        parts: The application; its catalog need not own what lies beside it.
        progress: Called in this thread, at most ten times a second.
        cancel: Set it to stop soon.
        repair: Mend first, and report what is wrong afterwards.
        remove_unknown: With `repair`: remove what nothing refers to as well.

    Raises:
        CatalogError: The database cannot be used, another process is writing, or the catalog is of another library.
        IndexLockedError: Another process has the index open.
        CancelledError: `cancel` was set.
    """
    started, meter = time.perf_counter(), Meter(progress, cancel)
    catalog = parts.opened_catalog
    indexes = parts.indexes_of(catalog)
    actions: list[str] = []
    if repair and not catalog.faults():
        actions = _repaired(Repair(indexes, progress, cancel, removes_unknown=remove_unknown), indexes, cancel)
    with catalog.writer.hold(cancel):
        findings = _findings(indexes, meter)
        current = take_inventory(catalog, parts.engine).current
    order = list(FaultKind)
    return CheckReport(
        findings=tuple(sorted(findings, key=lambda f: (order.index(f.kind), f.task, f.name))),
        actions=tuple(actions),
        files=len(current),
        chunks=sum(version.chunks for version in current),
        originals=len({version.sha256 for version in current}),
        seconds=time.perf_counter() - started,
    )


def _repaired(mending: Repair, indexes: Indexes, cancel: threading.Event | None) -> list[str]:
    with indexes.catalog.writer.hold(cancel):
        mending.restore_catalog()
        mending.clean()
    removed = sweep(indexes)
    mending.rebuild()
    indexes.forget()
    return [*mending.actions, *([f"removed {removed:,} versions that were replaced or deleted"] if removed else [])]


def _findings(indexes: Indexes, meter: Meter) -> list[Fault]:
    catalog, engine = indexes.catalog, indexes.engine
    findings = check.damages(catalog)
    if findings:
        return findings
    findings = check.ownership(catalog, engine)
    meter.announce("Comparing")
    state = take_inventory(catalog, engine)
    findings += [*check.indexes(state), *check.unlisted(state, catalog), *check.originals(state, catalog, meter)]
    return [*findings, *check.leftovers(catalog)]
