"""Hostile files and datasets: what they take from the process of the app, and what they leave behind."""

from __future__ import annotations

import json
import os
import random
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from bench.ingest import Free
from bench.trust.spec import Figure, Row
from rag import IngestReport, Rag
from rag.embedding import open_embedder
from rag.errors import CancelledError, DatasetError
from rag.settings import load_settings
from rag.types import Embedder

_GROWTH_MB, _STOP_SECONDS = 300.0, 2.0
Attack = Callable[[Path, random.Random, int], None]
"""Writes a hostile file. The last argument is its scale: 1 for a quick look, 4 for all of it."""


class _Quick(Free):
    """Vectors that cost nothing from the model's own tokens: what is measured is everything but the arithmetic."""

    def __init__(self, model: Embedder) -> None:
        super().__init__()
        self.token_offsets = model.token_offsets  # type: ignore[method-assign]


# -- files -------------------------------------------------------------------------------------------------------------


def _wide_table(path: Path, rng: random.Random, scale: int) -> None:
    columns = 150_000 * scale
    header = ",".join(f"{rng.choice('abc')}{number}" for number in range(columns))
    path.write_text(f"{header}\n" + ("x," * columns)[:-1] + "\n", encoding="utf-8")


def _short_rows(path: Path, rng: random.Random, scale: int) -> None:
    words = [f"{rng.randrange(10**4)};{rng.random():.2f}" for _ in range(1000)]
    path.write_text("a;b\n" + ("\n".join(words) + "\n") * 1000 * scale, encoding="utf-8")


def _long_line(path: Path, rng: random.Random, scale: int) -> None:
    text = f"{rng.random()} " * (400_000 * scale)
    path.write_text(json.dumps({"_id": "1", "text": text}) + "\n", encoding="utf-8")


def _long_title(path: Path, rng: random.Random, scale: int) -> None:
    title, text = "t" * 1_000_000, f"words {rng.random()}. " * 40_000
    rows = [json.dumps({"_id": str(number), "title": title, "text": text}) for number in range(4 * scale)]
    path.write_text("\n".join(rows), encoding="utf-8")


def _deep_json(path: Path, rng: random.Random, scale: int) -> None:
    depth = rng.randrange(10**5, 10**6) * scale
    path.write_text("[" * depth + "]" * depth, encoding="utf-8")


def _many_values(path: Path, rng: random.Random, scale: int) -> None:
    path.write_text('{"a": [' + "[],{}," * (10**6 * scale) + f"{rng.random()}" + "]}", encoding="utf-8")


def _blank_lines(path: Path, rng: random.Random, scale: int) -> None:
    path.write_text(f"{rng.choice('abc')}\n\n" * (2_600_000 * scale), encoding="utf-8")


def _one_word(path: Path, rng: random.Random, scale: int) -> None:
    path.write_text(rng.choice("abc") * (7_000_000 * scale), encoding="utf-8")


def _packed_docx(path: Path, rng: random.Random, scale: int) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("word/document.xml", "w", force_zip64=True) as stream:
            for _ in range(100 * scale):
                stream.write(b"<w:p>" + bytes([rng.randrange(97, 120)]) * 10**6)


def _image(path: Path, rng: random.Random, scale: int) -> None:
    with path.open("wb") as stream:
        stream.write(b"\x89PNG\r\n\x1a\n" + rng.randbytes(1000))
        stream.truncate(300 * 2**20 * scale)


def _noise(path: Path, rng: random.Random, scale: int) -> None:
    path.write_bytes(rng.randbytes(2_000_000 * scale))


FILES: dict[str, Attack] = {
    "wide.csv": _wide_table,
    "rows.csv": _short_rows,
    "line.jsonl": _long_line,
    "title.jsonl": _long_title,
    "deep.json": _deep_json,
    "values.jsonl": _many_values,
    "blank.txt": _blank_lines,
    "word.md": _one_word,
    "packed.docx": _packed_docx,
    "image.png": _image,
    "noise.bin": _noise,
}


# -- datasets ----------------------------------------------------------------------------------------------------------


def _packed(path: Path, line: bytes, count: int) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("corpus.jsonl", "w") as stream:
        for _ in range(count):
            stream.write(line)


def _bomb(path: Path, rng: random.Random, scale: int) -> None:
    _packed(path, json.dumps({"_id": "x", "text": f"{rng.random()}" * 500}).encode() + b"\n", 50_000 * scale)


def _numbered(path: Path, rng: random.Random, scale: int) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("corpus.jsonl", "w") as stream:
        for number in range(400_000 * scale):
            stream.write(b'{"_id":%d,"text":"%d"}\n' % (number, rng.randrange(10)))


def _values(path: Path, rng: random.Random, scale: int) -> None:
    _packed(path, b'{"_id": "1", "text": [' + b"[]," * (rng.randrange(2, 9) * 10**6) + b"1]}\n", 2 * scale)


def _names(path: Path, rng: random.Random, scale: int) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(50_000 * scale):
            archive.writestr(f"{rng.choice('ab')}/{number:060}", "")


def _climbing(path: Path, rng: random.Random, scale: int) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../" * rng.randrange(1, 5 * scale) + "corpus.jsonl", "{}")


DATASETS: dict[str, Attack] = {
    "bomb": _bomb,
    "numbered": _numbered,
    "values": _values,
    "names": _names,
    "climbing": _climbing,
}


# -- measuring ---------------------------------------------------------------------------------------------------------


class _Peak:
    """The most memory that this process held while the statement ran, in megabytes above what it held before."""

    def __enter__(self) -> _Peak:
        self._process, self.growth = psutil.Process(), 0.0
        self._start = self._process.memory_info().rss
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(0.005):
            self.growth = max(self.growth, (self._process.memory_info().rss - self._start) / 2**20)


def _ingest(rag: Rag, path: Path, seconds: float) -> tuple[IngestReport | None, float]:
    """Ingest a file; stop after some seconds.

    Returns:
        The report, None when it was stopped before it began, and how long it took to stop, 0 when it ended.
    """
    cancel = threading.Event()
    timer = threading.Timer(seconds, cancel.set)
    timer.start()
    began = time.monotonic()
    try:
        report = rag.ingest([path], "qa", cancel=cancel)
    except CancelledError:
        report = None
    timer.cancel()
    return report, max(0.0, time.monotonic() - began - seconds) if cancel.is_set() else 0.0


def _left(rag: Rag) -> int:
    """Bytes of the files that no document of the library is made of."""
    wanted = {file.sha256 for file in rag.files()}
    originals = [path for path in (rag.settings.data_dir / "files").glob("??/*") if path.name not in wanted]
    staged = [path for path in (rag.settings.data_dir / "tmp").rglob("*") if path.suffix != ".lock"]
    return sum(path.stat().st_size for path in (*originals, *staged) if path.is_file())


def _loops(folder: Path, rng: random.Random) -> int:
    """Fill a folder with one file and what cannot be read; return how many of those there are."""
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "fine.md").write_text("# Fine\n\nA file that is read whatever lies beside it.", encoding="utf-8")
    targets = ["itself", "sub/../loop", "/dev/zero", "missing", "x" * 250, "..", "."]
    names = [f"{rng.randrange(10**9)}-{number}" for number in range(len(targets))]
    for name, target in zip(names, targets, strict=True):
        (folder / name).symlink_to(name if target == "itself" else target)
    os.mkfifo(folder / "pipe")
    return len(targets) + 1


def _measure(full: bool) -> Figure:
    rng, scale, seconds = random.Random(time.time_ns()), (4 if full else 1), (20.0 if full else 1.2)
    growth: dict[str, float] = {}
    stops: list[float] = []
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rag = Rag(load_settings(data_dir=folder / "data"))
        rag = Rag(rag.settings, embedder=_Quick(open_embedder(rag.settings)))
        rag.ingest_uploads([("base.md", b"# Base\n\nA plain sentence, so that all is loaded.")], "qa")
        for file, write in FILES.items():
            path = folder / file
            write(path, rng, scale)
            with _Peak() as peak:
                report, stop = _ingest(rag, path, seconds)
            growth[file] = peak.growth
            stops.append(stop)
            wrong += [file for outcome in (report.outcomes if report else ()) if outcome.kind and not outcome.reason]
            path.unlink()
        left = _left(rag)
        skipped = _loops(folder / "loops", rng)
        walked = rag.ingest([folder / "loops"], "qa")
        if [outcome.status.value for outcome in walked.outcomes] != ["added"] or len(walked.skipped) != skipped:
            wrong.append("a folder of loops")
        _datasets(rag, folder, rng, scale, (growth, wrong))
        rag.close()
    worst = max(growth, key=growth.__getitem__)
    text = (
        f"{len(FILES)} files, {len(DATASETS)} datasets: memory of the app grew by at most {growth[worst]:.0f} MB "
        f"({worst}); Stop worked within {max(stops):.1f} s; {left} bytes of refused files left; "
        f"{skipped} things beside a file skipped with the reason; {len(wrong)} wrong"
    )
    held = growth[worst] < _GROWTH_MB and max(stops) < _STOP_SECONDS and not left and not wrong
    return Figure(text + (f": {', '.join(wrong)}" if wrong else ""), held)


def _datasets(
    rag: Rag, folder: Path, rng: random.Random, scale: int, figures: tuple[dict[str, float], list[str]]
) -> None:
    growth, wrong = figures
    for name, write in DATASETS.items():
        path = folder / f"{name}.zip"
        write(path, rng, scale)
        with _Peak() as peak:
            try:
                rag.evaluations.from_path(path)
                wrong.append(f"{name}.zip was taken")
            except DatasetError:
                pass
        growth[path.name] = peak.growth
        path.unlink()


ROW = Row(
    name="limits",
    promise="A hostile file or dataset costs itself alone: no memory of the app, no time after Stop, no space on disk.",
    kept="Every file is parsed in a process with limits on time, memory, output and files; bytes are kept only after "
    "all of a file has been read; datasets are streamed with limits on bytes, lines, ratio and names.",
    tests=(
        "tests/loaders/test_pool.py",
        "tests/loaders/test_rows.py",
        "tests/ingest/test_items.py",
        "tests/ingest/test_limits.py",
        "tests/evaluation/test_datasets.py",
    ),
    target="memory of the app grows by less than 300 MB, Stop within 2 s, 0 bytes of refused files left",
    measure=_measure,
)
