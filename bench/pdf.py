"""PDF text: the PDF loader against pypdf on the same files.

    python -m bench.pdf [FILE ...]

Without files, Chromium prints texts of ../shared/data to PDF. Similarity is difflib's ratio over the words of both.
"""

from __future__ import annotations

import argparse
import difflib
import html
import json
import logging
import re
import shutil
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path

from bench.harness import Case, Target, compare, report
from rag.loaders import load

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
SETS = {"emanual_tv": 60, "covidqa": 25, "gitbugs_hadoop": 60}
ROUNDS = 5
"""Times that one run reads the files: short runs are noisy."""
TARGET = Target("PDF characters/s", 8.0)
SIMILARITY = 0.97
_LINE_END_HYPHEN = re.compile(r"(?<=\w)[-\u2010]\s*\n\s*(?=[a-z])")


def ours(path: Path) -> str:
    """Text by the loader, with pages, headings and paragraphs found on the way."""
    return "\n".join(document.text for document in load(path, path.name))


def theirs(path: Path) -> str:
    """Text by pypdf."""
    from pypdf import PdfReader

    return "\n".join(page.extract_text() for page in PdfReader(path).pages)


def similarity(one: str, other: str) -> float:
    """Share of words that two readings have in common, in order; words cut at line ends are put together."""
    left, right = (_LINE_END_HYPHEN.sub("", text).split() for text in (one, other))
    return difflib.SequenceMatcher(None, left, right, autojunk=False).ratio()


def printed(folder: Path) -> list[Path]:
    """PDFs of texts of ../shared/data, as a browser prints them."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None or not DATA.is_dir():
        sys.exit("Found no Chromium or no ../shared/data to make PDFs from. Name files: python -m bench.pdf FILE ...")
    paths = []
    for name, count in SETS.items():
        page, path = folder / f"{name}.html", folder / f"{name}.pdf"
        page.write_text(_page(name, count), encoding="utf-8")
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--print-to-pdf={path}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        paths.append(path)
    return paths


def _page(name: str, count: int) -> str:
    with (DATA / name / "corpus.jsonl").open(encoding="utf-8") as stream:
        rows = [json.loads(line) for line in islice(stream, count)]
    blocks = (f"<h2>{html.escape(row['title'] or row['_id'])}</h2><p>{html.escape(row['text'][:8000])}" for row in rows)
    return f"<meta charset=utf-8><title>{name}</title><h1>{name}</h1>{''.join(blocks)}"


def main() -> None:
    """Measure, print the table, write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    chosen = parser.parse_args().files
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        paths = chosen or printed(Path(folder))
        alike = {path.name: similarity(ours(path), theirs(path)) for path in paths}
        characters = sum(len(ours(path)) for path in paths)
        result = compare(
            Case("loader", lambda: [ours(path) for path in paths * ROUNDS], characters * ROUNDS),
            Case("pypdf", lambda: [theirs(path) for path in paths * ROUNDS], characters * ROUNDS),
            TARGET,
            notes={"characters": characters, "similarity": alike},
        )
    for name, value in alike.items():
        print(f"{name}: similarity {value:.4f}, at least {SIMILARITY}: {'yes' if value >= SIMILARITY else 'NO'}")
    report("pdf", [result])


if __name__ == "__main__":
    main()
