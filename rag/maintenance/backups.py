"""`Rag.backups`: a library as one file, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rag.parts import Parts

if TYPE_CHECKING:
    from threading import Event as Cancel

    from rag.jobs import OnProgress
    from rag.maintenance.backup import BackupReport
    from rag.maintenance.restore import RestoreReport
    from rag.maintenance.schedule import ScheduledBackup


class Backups:
    """Backups of a library."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def make(
        self, target: Path, progress: OnProgress | None = None, cancel: Cancel | None = None, *, force: bool = False
    ) -> BackupReport:
        """Write everything into one file, while others read and write; see `rag.maintenance.backup.back_up`."""
        from rag.maintenance.backup import back_up

        return back_up(self._parts, target, progress, cancel, force=force)

    def make_regularly(
        self,
        folder: Path,
        keep: int,
        wait: Callable[[], bool],
        progress: OnProgress | None = None,
        cancel: Cancel | None = None,
    ) -> Iterator[ScheduledBackup]:
        """Make a backup now and after every wait; see `rag.maintenance.schedule.scheduled`."""
        from rag.maintenance.schedule import scheduled

        return scheduled(lambda path: self.make(path, progress, cancel), folder, keep, wait)

    def restore(
        self,
        source: Path,
        progress: OnProgress | None = None,
        cancel: Cancel | None = None,
        *,
        force: bool = False,
        any_recipe: bool = False,
    ) -> RestoreReport:
        """Restore a backup into the empty data folder; see `rag.maintenance.restore.restore`."""
        from rag.maintenance.restore import restore

        return restore(self._parts, source, progress, cancel, force=force, any_recipe=any_recipe)
