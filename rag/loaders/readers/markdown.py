"""Markdown (CommonMark with tables): headings, paragraphs, lists, tables and fenced code, with lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from rag.loaders.builder import TextBuilder
from rag.loaders.cleaning import clean_text
from rag.loaders.encoding import decode_text
from rag.loaders.markdown_blocks import add_markdown
from rag.loaders.registry import Format
from rag.types import Document

_TITLE = re.compile(r"^title[ \t]*[:=][ \t]*(\S[^\n]*)$", re.MULTILINE)


def load_markdown(path: Path, name: str) -> Iterator[Document]:
    """Read a Markdown file as one document; front matter gives the title and is no part of the text."""
    text = clean_text(decode_text(path.read_bytes()))
    builder = TextBuilder()
    title, skipped = _front_matter(text)
    first = add_markdown(builder, text[skipped:], 1 + text.count("\n", 0, skipped))
    yield builder.document(name, "markdown", title or first)


def _front_matter(text: str) -> tuple[str, int]:
    """Return title and length of a YAML or TOML block at the start; empty and 0 without one."""
    mark = text[:4].rstrip()
    if mark not in ("---", "+++"):
        return "", 0
    end = text.find(f"\n{mark}", 3)
    if end < 0 or text[end + 4 : end + 5].strip():
        return "", 0
    title = _TITLE.search(text, 0, end)
    return (title.group(1).strip().strip("\"'") if title else ""), end + 4


FORMAT = Format("markdown", (".md", ".markdown", ".mdx", ".mkd", ".qmd", ".rmd"), load_markdown)
