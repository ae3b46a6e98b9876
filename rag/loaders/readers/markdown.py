"""Markdown (CommonMark with tables): headings, paragraphs, lists, tables and fenced code, with lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from rag.loaders.builder import Location, TextBuilder
from rag.loaders.cleaning import clean_text, squeeze
from rag.loaders.encoding import decode_text
from rag.loaders.registry import Format
from rag.types import Document

_KINDS = {"bullet_list_open": "list", "ordered_list_open": "list", "table_open": "table", "code_block": "code"}
_TITLE = re.compile(r"^title[ \t]*[:=][ \t]*(\S[^\n]*)$", re.MULTILINE)
_MARKUP = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)|[*_`]+")


def load_markdown(path: Path, name: str) -> Iterator[Document]:
    """Read a Markdown file as one document; front matter gives the title and is no part of the text."""
    text = clean_text(decode_text(path.read_bytes()))
    builder = TextBuilder()
    title, skipped = _front_matter(text)
    first = add_markdown(builder, text[skipped:], 1 + text.count("\n", 0, skipped))
    yield builder.document(name, "markdown", title or first)


def add_markdown(builder: TextBuilder, text: str, first_line: int | None = None) -> str:
    """Add the blocks of a cleaned text to `builder`.

    Args:
        builder: Gets the blocks.
        text: Markdown.
        first_line: Number of the text's first line in the file, or None for segments without lines.

    Returns:
        The first heading of the highest level, or empty.
    """
    from markdown_it import MarkdownIt

    lines = text.split("\n")
    title: tuple[int, str] = (7, "")
    for token in MarkdownIt("commonmark").enable("table").disable("inline").parse(text):
        if token.level or token.map is None or token.nesting < 0:
            continue
        start, end = token.map
        block = "\n".join(lines[start:end]).rstrip()
        end = start + 1 + block.count("\n")
        if token.type == "heading_open":
            words, level = _words(block), int(token.tag[1])
            builder.heading(words, level, _lines(first_line, start, end))
            title = min(title, (level, squeeze(words)), key=lambda entry: entry[0])
        elif token.type == "fence":
            builder.add(token.content, "code", _lines(first_line, start + 1, start + 1 + token.content.count("\n")))
        elif token.type != "hr":
            builder.add(block, _KINDS.get(token.type, "text"), _lines(first_line, start, end))
    return title[1]


def _lines(first_line: int | None, start: int, end: int) -> Location:
    if first_line is None:
        return Location()
    return Location(line_start=first_line + start, line_end=first_line + max(start, end - 1))


def _words(heading: str) -> str:
    """Return the words of an ATX (`## Title ##`) or underlined heading, without emphasis and link targets."""
    line = heading.strip().rstrip("=-\n ") if "\n" in heading else heading.strip().strip("#")
    return _MARKUP.sub(r"\1", line).strip()


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
