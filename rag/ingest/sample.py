"""The sample library: this project's own guides, FAQ and source, so that every task has something to answer."""

from __future__ import annotations

from pathlib import Path

from rag.errors import NotFoundError
from rag.ingest import IngestItem

ROOT = Path(__file__).resolve().parents[2]
"""Root of a checkout; an installed package without the folders has no sample."""


def sample_items() -> dict[str, list[IngestItem]]:
    """Files of the sample library by task, each named by its place in the project.

    Raises:
        NotFoundError: The guides are not beside the package.
    """
    guides = sorted((ROOT / "docs" / "guide").glob("*.md"))
    faq = ROOT / "examples" / "faq.csv"
    if not guides or not faq.is_file():
        raise NotFoundError(
            f"The sample library is not there: expected docs/guide and examples/faq.csv in {ROOT.name}."
        )
    source = sorted((ROOT / "rag").glob("*.py"))
    return {
        "qa": _items(guides),
        "faq": _items([faq]),
        "similar": _items(guides),
        "code": _items(source),
        "summary": _items(guides),
    }


def _items(paths: list[Path]) -> list[IngestItem]:
    return [IngestItem(path, path.relative_to(ROOT).as_posix()) for path in paths]
