"""Blocks of Markdown (CommonMark with tables), for every format that holds some."""

from __future__ import annotations

import re

from rag.loaders.builder import Location, TextBuilder
from rag.loaders.cleaning import squeeze

_KINDS = {"bullet_list_open": "list", "ordered_list_open": "list", "table_open": "table", "code_block": "code"}
_MARKUP = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)|[*_`]+")


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
