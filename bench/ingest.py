"""Ingest: time outside the embedder, re-ingest of a changed corpus, and memory on one big file.

    python -m bench.ingest [--files 1000] [--megabytes 10]

The corpus is generated: Markdown, text, HTML, FAQ tables, source code, rows, DOCX and PDF of 30 to 250 words. The
memory run ingests one JSONL file of the given size in a process of its own, with vectors that cost nothing, so that it
measures the pipeline and the store; the corpus of `bench.memory` is much larger.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from bench.harness import PAIRS, Case, Result, Sample, Target, judge, measure, report
from bench.pdf_files import Sheets
from rag import IngestReport, Rag, load_settings
from rag.embedding import open_embedder
from rag.ingest import IngestItem
from rag.types import Embedder, Matrix

OUTSIDE = Target("ingest, time outside the embedder / total", 0.10, at_least=False)
AGAIN = Target("re-ingest with 1% of files changed", 50.0)
RESIDENT_MB = 2048
# fmt: off
SYLLABLES = (
    "ba", "co", "di", "fu", "ge", "ha", "jo", "ki", "lu", "me", "no", "pa", "qui", "ro", "sa", "te", "vo", "en",
)
# fmt: on


class Counting:
    """An embedder that counts the texts it embeds."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.texts = 0
        self.dimension, self.max_tokens = embedder.dimension, embedder.max_tokens
        self.precision = embedder.precision
        self.token_offsets = embedder.token_offsets

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Embed and count."""
        self.texts += len(texts)
        return self._embedder.encode(texts)


class Free:
    """Vectors that cost nothing, of the default model's dimension; tokens are four characters long."""

    dimension, max_tokens, precision = 384, 512, "none"

    def __init__(self) -> None:
        self._random = np.random.default_rng(0)

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Directions by chance."""
        rows = self._random.standard_normal((len(texts), self.dimension), dtype=np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Pieces of four characters."""
        return [(start, min(start + 4, len(text))) for start in range(0, len(text), 4)]


# -- corpus ------------------------------------------------------------------------------------------------------------


def prose(rng: random.Random, words: int) -> str:
    """Sentences of words that are made up but repeat as words do."""
    vocabulary = ["".join(rng.choices(SYLLABLES, k=1 + i % 3)) for i in range(400)]
    text, sentence = [], 0
    for position in range(words):
        word = vocabulary[min(int(rng.paretovariate(0.7)) - 1, 399)]
        text.append(word.capitalize() if position == sentence else word)
        if position - sentence > rng.randint(6, 18):
            text[-1] += "."
            sentence = position + 1
    return " ".join(text) + "."


def _markdown(text: str, path: Path) -> None:
    half = len(text) // 2
    path.write_text(f"# About {path.stem}\n\n{text[:half]}\n\n## Details\n\n{text[half:]}\n", encoding="utf-8")


def _text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


def _html(text: str, path: Path) -> None:
    path.write_text(f"<html><title>{path.stem}</title><h1>{path.stem}</h1><p>{text}</p></html>", encoding="utf-8")


def _rows(text: str, path: Path) -> None:
    parts = text.split(". ")
    lines = [json.dumps({"_id": f"{path.stem}-{i}", "title": "", "text": part}) for i, part in enumerate(parts)]
    path.write_text("\n".join(lines), encoding="utf-8")


def _code(text: str, path: Path) -> None:
    lines = text.split(". ")
    body = "\n\n\n".join(
        f'def part_{i}(value: int) -> int:\n    """{line}."""\n    return value + {i}' for i, line in enumerate(lines)
    )
    path.write_text(body + "\n", encoding="utf-8")


def _table(text: str, path: Path) -> None:
    lines = (f'"What about {part[:30]}?","{part}"' for part in text.split(". "))
    path.write_text("question,answer\n" + "\n".join(lines), encoding="utf-8")


def _docx(text: str, path: Path) -> None:
    import docx

    document = docx.Document()
    document.add_heading(path.stem)
    document.add_paragraph(text)
    document.save(str(path))


def _pdf(text: str, path: Path) -> None:
    sheets, words = Sheets(), text.split()
    for start in range(0, len(words), 12):
        sheets.line(" ".join(words[start : start + 12]))
    path.write_bytes(sheets.file())


WRITERS: dict[str, Callable[[str, Path], None]] = {
    "md": _markdown,
    "txt": _text,
    "html": _html,
    "jsonl": _rows,
    "py": _code,
    "csv": _table,
    "docx": _docx,
    "pdf": _pdf,
}


def write(folder: Path, numbers: Sequence[int], edition: int = 0) -> None:
    """Write files of the corpus by number. Another edition differs in the last sentence."""
    formats = list(WRITERS)
    for number in numbers:
        rng = random.Random(number)
        text = prose(rng, rng.randint(30, 250)) + (f" Edition {edition} of {number} ends here." if edition else "")
        extension = formats[number % len(formats)]
        WRITERS[extension](text, folder / f"file-{number:05}.{extension}")


# -- runs --------------------------------------------------------------------------------------------------------------


def speed(count: int) -> list[Result]:
    """Time a full ingest, then seven with one file in a hundred changed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "in"
        source.mkdir()
        write(source, range(count))
        embedder = Counting(open_embedder(load_settings()))
        embedder.encode(["warm"])
        library = Rag(load_settings(data_dir=folder / "data"), embedder=embedder)
        reports: list[IngestReport] = []

        def ingest() -> None:
            reports.append(library.ingest([source], "qa"))

        full = measure(ingest)
        samples: list[Sample] = []
        notes: list[dict[str, int]] = []
        for edition in range(1, PAIRS + 1):
            write(source, range(edition, count, 100), edition)
            before = embedder.texts
            samples.append(measure(ingest))
            notes.append({"chunks embedded": reports[-1].embedded, "texts encoded": embedder.texts - before})
        library.close()
    seconds = reports[0].seconds
    outside = Sample(full.seconds - seconds["embed"], full.cpu_seconds, full.load)
    about = {
        "files": count,
        "chunks": reports[0].chunks,
        "seconds": dict(seconds),
        "completion": reports[0].completion.value,
    }
    share = {"outside": [outside], "total": [full]}
    again = {"1% changed": samples, "full": [full] * len(samples)}
    return [
        judge(Case("outside", ingest), Case("total", ingest), OUTSIDE, share, about),
        judge(Case("1% changed", ingest), Case("full", ingest), AGAIN, again, {"runs": notes}),
    ]


def memory(megabytes: int, folder: Path) -> dict[str, float]:
    """Ingest one big file; for a process of its own. Resident memory in megabytes."""
    rng = random.Random(0)
    source = folder / "big.jsonl"
    rows = 0
    with source.open("w", encoding="utf-8") as target:
        while target.tell() < megabytes << 20:
            target.write(json.dumps({"_id": str(rows), "title": "", "text": prose(rng, 150)}) + "\n")
            rows += 1
    start = _resident()
    library = Rag(load_settings(data_dir=folder / "data"), embedder=Free())
    began = time.perf_counter()
    report = library.ingest_items([IngestItem(source, source.name)], "qa")
    seconds = time.perf_counter() - began
    figures = {
        "megabytes": megabytes,
        "rows": rows,
        "chunks": report.chunks,
        "seconds": seconds,
        "start_mb": start["VmRSS"],
    }
    figures |= {"peak_mb": _resident()["VmHWM"], "anonymous_mb": _resident()["RssAnon"]}
    library.close()
    return figures


def _resident() -> dict[str, float]:
    """Memory of this process as Linux counts it, in megabytes."""
    pairs = (line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines())
    return {key: int(value.split()[0]) / 1024 for key, value in pairs if key in ("VmRSS", "VmHWM", "RssAnon")}


def main() -> None:
    """Measure, print the table, write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--megabytes", type=int, default=10)
    parser.add_argument("--memory-only", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory_only:
        print(json.dumps(memory(options.megabytes, options.memory_only)))
        return
    results = speed(options.files) if options.files else []
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bench.ingest", "--megabytes", str(options.megabytes), "--memory-only", folder]
        figures = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    holds = "yes" if figures["peak_mb"] < RESIDENT_MB else "NO"
    growth = 1024 * (figures["peak_mb"] - figures["start_mb"]) / figures["chunks"]
    print(
        f"one file of {figures['megabytes']} MB, {figures['chunks']} chunks: "
        f"peak resident {figures['peak_mb']:.0f} MB, under {RESIDENT_MB}: {holds}; "
        f"{figures['anonymous_mb']:.0f} MB of it not backed by files; "
        f"{growth:.1f} kB a chunk, {figures['chunks'] / figures['seconds']:.0f} chunks/s"
    )
    report("ingest", results, {"memory": figures})


if __name__ == "__main__":
    main()
