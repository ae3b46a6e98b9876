"""Past runs: every result is kept with its report in the data folder."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from rag.errors import DatasetError
from rag.evaluation.report.reports import write_report
from rag.evaluation.run.results import EvaluationResult, from_json

FOLDER = "evaluations"
"""Folder of past runs in the data folder."""


def save_run(result: EvaluationResult, data_dir: Path, out: Path | None = None) -> Path:
    """Write the report of a run into the history, and to `out` as well; return the folder to point people to.

    Raises:
        SettingsError: A folder cannot be written.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    folder = data_dir / FOLDER / f"{stamp}-{result.task}"
    write_report(result, folder)
    if out is not None:
        write_report(result, out)
    return out or folder


def report_folders(data_dir: Path) -> list[Path]:
    """Folders of the reports of past runs, the newest first; nothing is read."""
    paths = (data_dir / FOLDER).glob("*/report.json")
    return sorted((path.parent for path in paths), key=lambda folder: folder.name, reverse=True)


def read_report(folder: Path) -> EvaluationResult:
    """Read one past run.

    Raises:
        DatasetError: It was removed, or is from another version.
    """
    try:
        return from_json((folder / "report.json").read_bytes())
    except OSError as exc:
        raise DatasetError(f"The report {folder.name} cannot be read ({exc.strerror}). Run it again.") from exc


def past_runs(data_dir: Path) -> list[tuple[Path, EvaluationResult]]:
    """Past runs with the folders of their reports, the newest first; unreadable ones are left out."""
    runs = []
    for folder in report_folders(data_dir):
        try:
            runs.append((folder, read_report(folder)))
        except DatasetError:
            continue
    return runs
