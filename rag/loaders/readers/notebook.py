"""Jupyter notebooks: Markdown cells as Markdown, code cells as code; outputs are left out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag.errors import DamagedFileError
from rag.loaders.builder import TextBuilder
from rag.loaders.cleaning import clean_text
from rag.loaders.encoding import decode_text
from rag.loaders.markdown_blocks import add_markdown
from rag.loaders.registry import Format
from rag.types import Document

_SIGNATURE = re.compile(rb'\s*+\{(?=.*?"nbformat")(?=.*?"cells")', re.DOTALL)


def load_notebook(path: Path, name: str) -> Iterator[Document]:
    """Read a notebook as one document.

    Raises:
        DamagedFileError: It is not JSON, or no notebook.
    """
    try:
        notebook = json.loads(decode_text(path.read_bytes()))
        cells = list(_cells(notebook))
    except (ValueError, RecursionError, TypeError, AttributeError) as exc:
        raise DamagedFileError(
            f"Found no Jupyter notebook ({exc}), expected JSON with a list of `cells`. Save it again in Jupyter."
        ) from exc
    builder = TextBuilder()
    title = ""
    for kind, source in cells:
        if kind == "code":
            builder.add(source, "code")
        else:
            heading = add_markdown(builder, clean_text(source))
            title = title or heading
    yield builder.document(name, "notebook", title, language=_language(notebook))


def _cells(notebook: Any) -> Iterator[tuple[str, str]]:
    """Yield kind and source of each cell, of format 4 and of format 3, which has worksheets."""
    groups = [notebook] if "cells" in notebook else notebook.get("worksheets", [])
    if not groups:
        raise ValueError("it has no `cells`")
    for group in groups:
        for cell in group.get("cells", ()):
            source = cell.get("source", cell.get("input", ""))
            yield str(cell.get("cell_type", "")), "".join(source) if isinstance(source, list) else str(source)


def _language(notebook: Any) -> str:
    metadata = notebook.get("metadata")
    if not isinstance(metadata, dict):
        return ""
    kernel, info = metadata.get("kernelspec"), metadata.get("language_info")
    language = kernel.get("language") if isinstance(kernel, dict) else None
    language = language or (info.get("name") if isinstance(info, dict) else None)
    return clean_text(str(language or "python")).lower()


FORMAT = Format("notebook", (".ipynb",), load_notebook, signature=_SIGNATURE)
