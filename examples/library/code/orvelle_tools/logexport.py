"""Export of the log: one CSV file a month, semicolons between columns, times in UTC."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby, pairwise
from pathlib import Path

Row = tuple[datetime, dict[str, float | None]]


def write_months(rows: Iterable[Row], columns: Sequence[str], folder: Path) -> list[Path]:
    """Write one file for each month and return their paths; rows must be in order of time."""
    written = []
    for month, group in groupby(rows, key=lambda row: row[0].astimezone(UTC).strftime("%Y-%m")):
        path = folder / f"log-{month}.csv"
        with path.open("w", newline="", encoding="utf-8") as stream:
            out = csv.writer(stream, delimiter=";")
            out.writerow(["time", *columns])
            for when, values in group:
                stamp = when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
                out.writerow([stamp, *("" if values.get(c) is None else f"{values[c]:.2f}" for c in columns)])
        written.append(path)
    return written


def find_gaps(times: Sequence[datetime], longest_seconds: int = 180) -> list[tuple[datetime, datetime]]:
    """Return where the log is silent for longer than it should be."""
    return [(a, b) for a, b in pairwise(times) if (b - a).total_seconds() > longest_seconds]
