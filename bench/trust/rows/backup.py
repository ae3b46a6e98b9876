"""Backups by one process while another one ingests, and what comes out of them in empty folders."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.trust.spec import Figure, Row
from bench.trust.victim import ROWS, content, opened
from rag import Filters, Rag, Request
from rag.answering.chain import AnswerEvent
from rag.settings import load_settings
from rag.types import Filter, Matrix, Mode, Strategy
from tests.fakes import FakeEmbedder

_ROOT = Path(__file__).resolve().parents[3]
_PROMPT = "text 0: "
_QUESTIONS = tuple(f"What does row {row} of {row}.jsonl say?" for row in range(5))


class _SlowEmbedder(FakeEmbedder):
    """Takes its time, so that an ingest is under way for a while."""

    def encode(self, texts: Any) -> Matrix:
        time.sleep(0.05)
        return super().encode(texts)


def _ingest(folder: Path, files: int) -> None:
    """Ingest files in one call, then keep the library open until standard input ends."""
    settings = load_settings(data_dir=folder, document_prompt=_PROMPT, workers=1)
    rag = Rag(settings, embedder=_SlowEmbedder(64))
    rag.ingest_uploads([("first.jsonl", content("first.jsonl", "first"))], "qa")
    rag.delete(["first.jsonl"], "qa")
    print("started", flush=True)
    rag.ingest_uploads([(f"{n}.jsonl", content(f"{n}.jsonl", f"word{n}")) for n in range(files)], "qa")
    print("finished", flush=True)
    sys.stdin.read()
    rag.close()


def _measure(full: bool) -> Figure:
    files, most = (400, 30) if full else (60, 3)
    with tempfile.TemporaryDirectory(prefix="bench-backup-") as name:
        folder = Path(name)
        command = [sys.executable, "-m", "bench.trust.rows.backup", str(folder / "data"), str(files)]
        writer = subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        assert writer.stdin is not None
        writer.stdout.readline()
        sizes, longest = [], 0.0
        for number in range(most):
            time.sleep(0.5)
            report = opened(folder / "data", _PROMPT).backups.make(folder / f"{number}.zip")
            sizes.append(report.files)
            longest = max(longest, report.seconds)
        writer.stdout.readline()
        opened(folder / "data", _PROMPT).backups.make(folder / "last.zip")  # the other one has it open still
        writer.communicate()
        wrong, passages = _differences(folder, [*map(str, range(most)), "last"])
    during = sum(size < files for size in sizes)
    states = ", ".join(map(str, sizes))
    text = (
        f"{during} backups during an ingest of {files} files by another process (of {states} files, {longest:.1f} s at "
        f"most) and one after it: {passages:,} passages restored, {len(wrong)} differences in ids, vectors, hits and "
        "answers"
    )
    return Figure(text + (f"; first: {wrong[0]}" if wrong else ""), bool(during) and not wrong)


def _differences(folder: Path, names: list[str]) -> tuple[list[str], int]:
    """Restore backups and compare them with the library, which has got more files since, up to the last of them."""
    wrong, passages = [], 0
    source = opened(folder / "data", _PROMPT)
    everything = _points(source)
    for name in names:
        restored = opened(folder / name, _PROMPT)
        restored.backups.restore(folder / f"{name}.zip")
        points, files = _points(restored), {file.name for file in restored.files("qa")}
        expected = {key: point for key, point in everything.items() if point[0].name in files}
        passages += len(points)
        if points != expected or len(points) != ROWS * len(files):
            wrong.append(f"{name}: {len(points)} passages, expected {len(expected)}")
        # BM25 counts the files that came later, and of equal scores the engine takes any.
        is_last = name == "last"
        if _hits(restored, files, is_last) != _hits(source, files, is_last):
            wrong.append(f"{name}: other hits")
        if is_last and _answers(restored) != _answers(source):
            wrong.append(f"{name}: other answers")
        restored.close()
    source.close()
    return wrong, passages


def _points(rag: Rag) -> dict[str, Any]:
    parts = rag._parts
    visible = Filter("default", parts.workspace.hidden_versions("qa"))
    return {
        point.id: (point.payload, {mode: vector.tobytes() for mode, vector in point.vectors.items()})
        for batch in parts.indexes.open("qa").scroll(visible, with_vectors=True)
        for point in batch
    }


def _hits(rag: Rag, files: set[str], exactly: bool) -> list[Any]:
    """Ids and scores of all strategies; unless `exactly`, scores of those that look at each passage alone."""
    filters, strategies = Filters(names=tuple(sorted(files))), list(Strategy) if exactly else [Strategy.DENSE]
    requests = [Request(q, "qa", mode, s, 20, filters) for q in _QUESTIONS for mode in Mode for s in strategies]
    return [[(hit.id if exactly else "", hit.score) for hit in rag.search(request).hits] for request in requests]


def _answers(rag: Rag) -> list[Any]:
    return [event.answer for q in _QUESTIONS for event in rag.ask(q) if isinstance(event, AnswerEvent)]


ROW = Row(
    name="backup",
    promise="A backup can be made at any time, and what is restored is the library as it was.",
    kept="Writers of the index hold a lock for one batch at a time; a backup takes it while the index's files are "
    "copied, and reads the catalog as of that moment. A restore checks every hash beside the data folder and renames.",
    tests=("tests/maintenance/test_backup.py", "tests/maintenance/test_restore.py", "tests/index/test_stillness.py"),
    target="backups during an ingest by another process: ids, vectors, hits and answers identical",
    measure=_measure,
)

if __name__ == "__main__":
    _ingest(Path(sys.argv[1]), int(sys.argv[2]))
