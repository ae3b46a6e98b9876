"""PDF text: the PDF loader against pypdf on the same files.

    python -m bench.pdf [FILE ...]

Without files, Python's own manual is printed to some forty PDFs of one to a dozen pages with headings, paragraphs and
tables (`bench.pdf_files`), in composite fonts, as browsers write them, and in a standard font. Similarity is difflib's
ratio over the words of both readings.
"""

from __future__ import annotations

import argparse
import difflib
import logging
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.harness import PAIRS, Case, Result, Target, compare, report
from bench.pdf_files import manual
from rag.loaders import load

ROUNDS = 2
"""Times that one run reads the files: short runs are noisy."""
TARGETS = {
    "composite": Target("PDF characters/s, composite fonts", 8.0),
    "plain": Target("PDF characters/s, a standard font", 4.0),
}
SIMILARITY = 0.97
_LINE_END_HYPHEN = re.compile(r"(?<=\w)[-\u2010]\s*\n\s*(?=[a-z])")


def by_loader(path: Path) -> str:
    """Text by the loader, which also finds pages, headings and paragraphs."""
    return "\n".join(document.text for document in load(path, path.name))


def by_pypdf(path: Path) -> str:
    """Text by pypdf."""
    from pypdf import PdfReader

    return "\n".join(page.extract_text() for page in PdfReader(path).pages)


def similarity(reading: str, reference: str) -> float:
    """Share of words that two readings have in common, in order; words cut at line ends are put together."""
    words, expected = (_LINE_END_HYPHEN.sub("", text).split() for text in (reading, reference))
    return difflib.SequenceMatcher(None, words, expected, autojunk=False).ratio()


def measure(paths: Sequence[Path], target: Target, pairs: int) -> Result:
    """Compare both readers on some files; the notes have the similarity by file name."""
    similarities = {path.name: similarity(by_loader(path), by_pypdf(path)) for path in paths}
    readings = [*paths] * ROUNDS
    characters = sum(len(by_loader(path)) for path in paths)
    return compare(
        Case("loader", lambda: [by_loader(path) for path in readings], characters * ROUNDS),
        Case("pypdf", lambda: [by_pypdf(path) for path in readings], characters * ROUNDS),
        target,
        pairs=pairs,
        notes={"files": len(paths), "characters": characters, "similarity": similarities},
    )


def groups(paths: Sequence[Path], folder: Path) -> Mapping[str, Sequence[Path]]:
    """Files by the target they are measured against: the named ones together, or those printed into the folder."""
    if paths:
        return {"composite": paths}
    printed = manual(folder)
    return {kind: [path for path in printed if path.stem.endswith(kind)] for kind in TARGETS}


def main() -> None:
    """Measure, print the table, write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    options = parser.parse_args()
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        files = groups(options.files, Path(folder))
        results = [measure(paths, TARGETS[kind], options.pairs) for kind, paths in files.items()]
    for result in results:
        lowest = min(result.notes["similarity"].values())  # type: ignore[attr-defined]
        holds = "yes" if lowest >= SIMILARITY else "NO"
        print(f"{result.what}: similarity at least {lowest:.4f}, target {SIMILARITY}: {holds}")
    report("pdf", results)


if __name__ == "__main__":
    main()
