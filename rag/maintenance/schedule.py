"""Backups at regular times, of which the last ones stay."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rag.errors import BackupError, CancelledError, RagError
from rag.maintenance.archive import opened_archive
from rag.maintenance.backup import BackupReport

_LOG = logging.getLogger(__name__)
_NAME = "rag-{:%Y%m%dT%H%M%SZ}.zip"
_NAMES = "rag-*T*Z.zip"


@dataclass(frozen=True, slots=True)
class ScheduledBackup:
    """One round of a schedule.

    Attributes:
        report: The backup that was made, or None.
        error: Why none was made; older ones are all kept then.
        removed: Older backups that were removed.
    """

    report: BackupReport | None = None
    error: str = ""
    removed: tuple[Path, ...] = ()


def scheduled(
    back_up: Callable[[Path], BackupReport], folder: Path, keep: int, wait: Callable[[], bool]
) -> Iterator[ScheduledBackup]:
    """Make a backup now and after every wait, until told to stop. A failure does not end it.

    Args:
        back_up: Makes one, of the name it is given.
        folder: Where backups go; each is named by its time.
        keep: How many of them stay.
        wait: Waits for the next time; True means stop.
    """
    while True:
        path = folder / _NAME.format(datetime.now(UTC))
        try:
            report = back_up(path)
        except CancelledError:
            return
        except RagError as exc:
            _LOG.warning("no backup: %s", exc)
            yield ScheduledBackup(error=str(exc))
        else:
            _LOG.info("backup %s: %d files, %d bytes", report.path, report.files, report.size)
            yield ScheduledBackup(report, removed=tuple(keep_last(folder, keep)))
        if wait():
            return


def keep_last(folder: Path, keep: int) -> list[Path]:
    """Remove all scheduled backups but the last ones that can be opened. One that cannot is left alone and not counted.

    Returns:
        Those that were removed.
    """
    removed = []
    for path in sorted(folder.glob(_NAMES), reverse=True):
        if not _is_whole(path):
            _LOG.warning("%s cannot be opened as a backup and is not counted", path)
        elif keep > 0:
            keep -= 1
        else:
            path.unlink(missing_ok=True)
            removed.append(path)
    return removed


def _is_whole(path: Path) -> bool:
    try:
        with opened_archive(path):
            return True
    except BackupError:
        return False
