"""Side-by-side timing of a subject and a baseline: alternating order, medians of paired ratios, everything recorded.

    result = compare("embed", Case("ours", ours), Case("baseline", theirs), Target("passages/s", 4.0))
    report("embed", [result])

A shared machine is noisy, so only ratios within a pair are judged: the two run one after the other, each pair in the
other order than the one before, and the median over the pairs stands against the target.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

PAIRS = 7
FOLDER = Path(__file__).resolve().parents[1] / ".bench"


@dataclass(frozen=True, slots=True)
class Case:
    """Something to time. `work` counts the units of one run, e.g. passages; speeds are work per second."""

    name: str
    run: Callable[[], object]
    work: float = 1.0


@dataclass(frozen=True, slots=True)
class Target:
    """A promise: `ratio` and the side it has to be on.

    Attributes:
        what: Name of the quantity, for the table.
        ratio: The promise.
        at_least: True when the subject has to be this many times faster; False when its time may be at most this
            share of the baseline's.
    """

    what: str
    ratio: float
    at_least: bool = True


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: wall and CPU seconds of this process, and the load average when it began."""

    seconds: float
    cpu_seconds: float
    load: float


@dataclass(frozen=True, slots=True)
class Result:
    """A comparison. `ratio` is the median over the pairs; `low` and `high` are the quartiles."""

    what: str
    subject: str
    baseline: str
    ratio: float
    low: float
    high: float
    cpu_ratio: float
    target: float
    at_least: bool
    holds: bool
    subject_rate: float
    baseline_rate: float
    samples: Mapping[str, Sequence[Sample]] = field(default_factory=dict)
    notes: Mapping[str, object] = field(default_factory=dict)


def measure(run: Callable[[], object]) -> Sample:
    """Time one run."""
    load = os.getloadavg()[0]
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    return Sample(time.perf_counter() - wall, time.process_time() - cpu, load)


def compare(
    subject: Case,
    baseline: Case,
    target: Target,
    *,
    pairs: int = PAIRS,
    warm: bool = True,
    notes: Mapping[str, object] | None = None,
) -> Result:
    """Time two cases in alternating order.

    Args:
        subject: The case that the promise is about.
        baseline: The case that it is compared with.
        target: The promise.
        pairs: Pairs of runs; at least 7 for a figure that is quoted.
        warm: Run both once before, unrecorded.
        notes: Stored beside the figures.
    """
    samples: dict[str, list[Sample]] = {subject.name: [], baseline.name: []}
    if warm:
        subject.run()
        baseline.run()
    for pair in range(pairs):
        order = (subject, baseline) if pair % 2 == 0 else (baseline, subject)
        for case in order:
            samples[case.name].append(measure(case.run))
    return judge(subject, baseline, target, samples, notes)


def judge(
    subject: Case,
    baseline: Case,
    target: Target,
    samples: Mapping[str, Sequence[Sample]],
    notes: Mapping[str, object] | None = None,
) -> Result:
    """Ratios of paired samples against the target."""
    ours, theirs = samples[subject.name], samples[baseline.name]
    share = baseline.work / subject.work
    walls = [_ratio(o.seconds, t.seconds, target.at_least, share) for o, t in zip(ours, theirs, strict=True)]
    cpus = [_ratio(o.cpu_seconds, t.cpu_seconds, target.at_least, share) for o, t in zip(ours, theirs, strict=True)]
    ratio = statistics.median(walls)
    quarters = statistics.quantiles(walls, n=4) if len(walls) > 1 else [ratio] * 3
    return Result(
        what=target.what,
        subject=subject.name,
        baseline=baseline.name,
        ratio=ratio,
        low=quarters[0],
        high=quarters[2],
        cpu_ratio=statistics.median(cpus),
        target=target.ratio,
        at_least=target.at_least,
        holds=ratio >= target.ratio if target.at_least else ratio <= target.ratio,
        subject_rate=subject.work / statistics.median(s.seconds for s in ours),
        baseline_rate=baseline.work / statistics.median(s.seconds for s in theirs),
        samples=samples,
        notes=dict(notes or {}),
    )


def _ratio(ours: float, theirs: float, at_least: bool, share: float) -> float:
    """Return how many times faster, or which share of the time, for the same work."""
    ours, theirs = max(ours, 1e-9), max(theirs, 1e-9)
    return theirs / ours / share if at_least else ours / theirs * share


def machine() -> dict[str, object]:
    """Describe the machine that the figures are from."""
    threads = {name: os.environ.get(name, "") for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TBB_NUM_THREADS")}
    return {
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": os.getloadavg(),
        "threads": {name: value for name, value in threads.items() if value},
    }


def table(results: Sequence[Result]) -> str:
    """The results as text."""
    head = ("what", "ratio", "quartiles", "CPU ratio", "target", "holds", "ours/s", "baseline/s")
    rows = [head, *(_row(result) for result in results)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _row(result: Result) -> tuple[str, ...]:
    sign = ">=" if result.at_least else "<="
    return (
        f"{result.what}: {result.subject} vs {result.baseline}",
        f"{result.ratio:.2f}x",
        f"{result.low:.2f}-{result.high:.2f}",
        f"{result.cpu_ratio:.2f}x",
        f"{sign} {result.target:g}x",
        "yes" if result.holds else "NO",
        f"{result.subject_rate:.4g}",
        f"{result.baseline_rate:.4g}",
    )


def report(name: str, results: Sequence[Result], extra: Mapping[str, object] | None = None) -> Path:
    """Print the table and write `.bench/NAME.json`.

    Returns:
        The file that was written.
    """
    print(table(results))
    return write(name, {"results": [asdict(result) for result in results], **(extra or {})})


def write(name: str, values: Mapping[str, object]) -> Path:
    """Write `.bench/NAME.json` with the machine and the time beside the values."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.json"
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    path.write_text(json.dumps({"bench": name, "at": stamp, "machine": machine(), **values}, indent=1))
    print(f"written to {path.relative_to(FOLDER.parent)}")
    return path
