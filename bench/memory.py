"""Resident memory while a large corpus of text is ingested, killed a third of the way and resumed.

    python -m bench.memory [--megabytes 150]

The corpus is Markdown files of about one megabyte, of a vocabulary of 200,000 words by Zipf's law. The whole ingest
runs in processes of its own: reading, chunking, index, catalog; only the vectors cost nothing, so that it takes
minutes. A third of the way everything is killed and started again. Resident memory is that of the process and all its
children added up, pages of mapped files and pages they share included; the system may take file pages back at any time,
so the part that is not backed by files is reported too. Memory goes up and down as the index seals a segment, so growth
is the line through the highest point of every 20,000 chunks after the first two; what it means for two gigabytes is an
extrapolation unless so much was ingested.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.harness import write
from bench.ingest import SYLLABLES, Free
from rag import Progress, Rag, load_settings
from rag.index.edge.layout import SEAL_FROM
from rag.types import Matrix

FILE_MB, WHOLE_MB, LIMIT_MB = 1, 2048, 2048
VOCABULARY, SENTENCES, POOL = 200_000, 8_000, 2_500
EVERY = 0.25


@dataclass(frozen=True, slots=True)
class Sample:
    """A moment: chunks written so far, and megabytes of the whole process tree."""

    chunks: int
    resident: float
    own: float


@dataclass(frozen=True, slots=True)
class Run:
    """One start of the ingest, to its end or to the kill."""

    samples: list[Sample]
    outcome: dict[str, int]
    seconds: float


class Cheap(Free):
    """Deterministic vectors derived from the text, at next to no cost."""

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Return random directions, seeded with the checksum of each text."""
        return np.concatenate([self._row(text) for text in texts])

    def _row(self, text: str) -> Matrix:
        self._random = np.random.default_rng(zlib.crc32(text.encode()))
        return super().encode([text])


def corpus(folder: Path, megabytes: int) -> None:
    """Write files `part-00000.md` and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(megabytes // FILE_MB):
        path = folder / f"part-{number:05}.md"
        if not path.exists():
            path.write_text(_file(number), encoding="utf-8")


def _file(number: int) -> str:
    """Sections of sentences; each number has words and an order of its own."""
    rng = np.random.default_rng(number)
    ranks = np.minimum(rng.zipf(1.3, size=(POOL, 14)), VOCABULARY)
    pool = [" ".join(_word(int(rank)) for rank in row).capitalize() + "." for row in ranks]
    parts, size, section = [], 0, 0
    while size < FILE_MB << 20:
        section += 1
        picks = rng.integers(0, POOL, 24)
        text = f"# Part {number} section {section}\n\n{' '.join(pool[i] for i in picks)}\n"
        parts.append(text)
        size += len(text)
    return "\n".join(parts)


def _word(rank: int) -> str:
    """Spell a rank as a word: its digits are syllables."""
    word = ""
    while True:
        word += SYLLABLES[rank % len(SYLLABLES)]
        rank //= len(SYLLABLES)
        if not rank:
            return word


def ingest(folder: Path) -> None:
    """Ingest everything, in a process of its own; write a line of JSON for each report."""
    library = Rag(load_settings(data_dir=folder / "data"), embedder=Cheap())

    def show(progress: Progress) -> None:
        print(json.dumps({"chunks": progress.work}), flush=True)

    report = library.ingest([folder / "corpus"], "qa", show)
    states = [outcome.status.value for outcome in report.outcomes]
    counts = {state: states.count(state) for state in sorted(set(states))}
    print(json.dumps({"outcome": {**counts, "chunks": report.chunks, "embedded": report.embedded}}), flush=True)
    library.close()


def watch(folder: Path, start_chunks: int, stop_at: int | None) -> Run:
    """Run `ingest`, sampling memory; kill it and all its children after `stop_at` chunks."""
    command = [sys.executable, "-m", "bench.memory", "--ingest-only", str(folder)]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    samples: list[Sample] = []
    outcome: dict[str, int] = {}
    last = 0.0
    for line in _lines(process):
        message = json.loads(line)
        outcome = message.get("outcome", outcome)
        chunks = int(message.get("chunks", 0))
        if chunks and time.perf_counter() - last > EVERY:
            last = time.perf_counter()
            samples.append(Sample(start_chunks + chunks, *_tree(process.pid)))
        if stop_at is not None and chunks >= stop_at:
            os.killpg(process.pid, signal.SIGKILL)
            break
    process.wait()
    if process.returncode not in (0, -signal.SIGKILL):
        raise RuntimeError(f"the ingest ended with {process.returncode}")
    return Run(samples, outcome, time.perf_counter() - began)


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    yield from process.stdout


def _tree(pid: int) -> tuple[float, float]:
    """Megabytes of a process and its descendants: resident, and not backed by files."""
    children: dict[int, list[int]] = {}
    rows: dict[int, dict[str, str]] = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        except OSError:
            continue
        rows[int(fields["Pid"])] = fields
        children.setdefault(int(fields["PPid"]), []).append(int(fields["Pid"]))
    resident = own = 0.0
    waiting = [pid]
    while waiting:
        process = waiting.pop()
        waiting += children.get(process, [])
        resident += int(rows.get(process, {}).get("VmRSS", "0 kB").split()[0]) / 1024
        own += int(rows.get(process, {}).get("RssAnon", "0 kB").split()[0]) / 1024
    return resident, own


def slope(samples: Sequence[Sample], which: str) -> float:
    """Kilobytes a chunk by which the peaks grow; 0 when there are too few to tell."""
    peaks: dict[int, float] = {}
    for sample in samples:
        window = sample.chunks // SEAL_FROM
        peaks[window] = max(peaks.get(window, 0.0), getattr(sample, which))
    windows = sorted(peaks)[2:-1]
    if len(windows) < 3:
        return 0.0
    line = np.polyfit([window * SEAL_FROM for window in windows], [peaks[window] for window in windows], 1)
    return float(line[0]) * 1024


def measure(megabytes: int, folder: Path) -> dict[str, object]:
    """Ingest in two halves, the first one killed."""
    corpus(folder / "corpus", megabytes)
    expected = megabytes * (1 << 20) // 1100
    first = watch(folder, 0, expected // 2)
    second = watch(folder, first.samples[-1].chunks, None)
    samples = [*first.samples, *second.samples]
    chunks = second.samples[-1].chunks
    peak = max(sample.resident for sample in samples)
    growth = slope(samples, "resident")
    whole = chunks * WHOLE_MB / megabytes
    return {
        "megabytes": megabytes,
        "chunks": chunks,
        "seconds": first.seconds + second.seconds,
        "killed_after_chunks": first.samples[-1].chunks,
        "resumed": second.outcome,
        "peak_mb": peak,
        "peak_own_mb": max(sample.own for sample in samples),
        "kb_a_chunk": growth,
        "own_kb_a_chunk": slope(samples, "own"),
        "extrapolated_mb": peak + max(0.0, growth) * (whole - chunks) / 1024,
        "limit_mb": LIMIT_MB,
        "disk_mb": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) >> 20,
        "samples": [
            [sample.chunks, round(sample.resident), round(sample.own)]
            for sample in samples[:: max(1, len(samples) // 60)]
        ],
    }


def main() -> None:
    """Measure, print, write `.bench/memory.json`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=150)
    parser.add_argument("--ingest-only", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ingest_only:
        ingest(options.ingest_only)
        return
    folder = Path(tempfile.mkdtemp())
    try:
        figures = measure(options.megabytes, folder)
    finally:
        shutil.rmtree(folder)
    print(
        f"{figures['megabytes']} MB of text, {figures['chunks']} chunks in {figures['seconds']:.0f} s; killed after "
        f"{figures['killed_after_chunks']}, then {figures['resumed']}\n"
        f"peak resident {figures['peak_mb']:.0f} MB, {figures['peak_own_mb']:.0f} MB of it not backed by files; growth "
        f"{figures['kb_a_chunk']:.2f} kB a chunk, {figures['own_kb_a_chunk']:.2f} of it not backed by files\n"
        f"for {WHOLE_MB} MB of text: {figures['extrapolated_mb']:.0f} MB, limit {LIMIT_MB} MB"
    )
    write("memory", {"memory": figures})


if __name__ == "__main__":
    main()
