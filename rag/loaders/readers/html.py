"""HTML: headings, paragraphs, lists, tables and code as people see them; scripts and hidden parts are left out."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import DamagedFileError
from rag.loaders.builder import TextBuilder
from rag.loaders.cleaning import clean_text
from rag.loaders.encoding import decode_text
from rag.loaders.registry import Format
from rag.types import Document

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_SIGNATURE = re.compile(rb"[\xef\xbb\xbf \t\r\n]*+(?:<!doctype html|<html|<head|<body)", re.IGNORECASE)
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_SKIPPED = frozenset({
    "script", "style", "template", "noscript", "head", "iframe", "object", "embed", "svg", "math", "canvas",
    "audio", "video", "select", "button", "datalist",
})  # fmt: skip
_INLINE = frozenset({
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em",
    "font", "i", "img", "ins", "kbd", "label", "mark", "output", "q", "rp", "rt", "ruby", "s",
    "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr", "input",
})  # fmt: skip
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LISTS = frozenset({"ul", "ol", "dl"})
_MAX_DEPTH = 100


def load_html(path: Path, name: str) -> Iterator[Document]:
    """Read a page as one document.

    Raises:
        DamagedFileError: Nothing in it can be parsed.
    """
    from lxml import etree
    from lxml.html import HTMLParser, document_fromstring

    data = path.read_bytes()
    declared = _CHARSET.search(data, 0, 4096)
    text = clean_text(decode_text(data, declared.group(1).decode("ascii") if declared else ""))
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        root = document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError) as exc:
        if not text.strip():
            return
        raise DamagedFileError("The HTML cannot be parsed. Save the page again from a browser.") from exc
    if any("xcessive depth" in entry.message for entry in parser.error_log):
        raise DamagedFileError("The HTML nests more than 2,000 elements. Save the page again from a browser.")
    builder = TextBuilder()
    _Reader(builder).read(root)
    yield builder.document(name, "html", root.findtext(".//title") or "")


class _Reader:
    """A walk over the tree that feeds the builder; inline text is collected until a block begins or ends."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._inline: list[str] = []

    def read(self, root: HtmlElement) -> None:
        self._walk(root, 0)
        self._flush()

    def _walk(self, element: HtmlElement, depth: int) -> None:
        if _is_visible(element):
            self._visible(element, element.tag, depth)
        self._inline.append(element.tail or "")

    def _visible(self, element: HtmlElement, tag: str, depth: int) -> None:
        if tag == "br":
            self._inline.append("\x00")  # stands for the line break until white space is collapsed
        elif tag in _INLINE:
            self._children(element, depth)
        elif tag in _HEADINGS:
            self._flush()
            self._builder.heading(_words(element), _HEADINGS[tag])
        elif tag in ("pre", "textarea", "listing"):
            self._flush()
            self._builder.add("".join(_raw(element)), "code")
        elif tag == "table" and _is_data(element):
            self._flush()
            self._builder.add("\n".join(_rows(element)), "table")
        elif tag in _LISTS and element.find(".//pre") is None and element.find(".//table") is None:
            self._flush()
            self._builder.add("\n".join(_items(element)), "list")
        else:
            self._flush()
            self._children(element, depth)
            self._flush()

    def _children(self, element: HtmlElement, depth: int) -> None:
        if depth > _MAX_DEPTH:
            self._inline.append(_words(element))
            return
        self._inline.append(element.text or "")
        for child in element:
            self._walk(child, depth + 1)

    def _flush(self) -> None:
        lines = ("".join(self._inline)).split("\x00")
        self._inline.clear()
        self._builder.add("\n".join(" ".join(line.split()) for line in lines))


def _is_visible(element: HtmlElement) -> bool:
    if not isinstance(element.tag, str) or element.tag in _SKIPPED:
        return False
    if element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return False
    return not _HIDDEN_STYLE.search(element.get("style") or "")


def _raw(element: HtmlElement, without: Container[str] = (), depth: int = 0) -> Iterator[str]:
    """Yield the visible text of an element as written, with a space where a block inside begins or ends."""
    if depth > _MAX_DEPTH:
        yield " ".join(element.itertext())
        return
    yield element.text or ""
    for child in element:
        if child.tag == "br":
            yield "\n"
        elif child.tag not in without and _is_visible(child):
            gap = "" if child.tag in _INLINE else " "
            yield gap
            yield from _raw(child, without, depth + 1)
            yield gap
        yield child.tail or ""


def _words(element: HtmlElement, without: Container[str] = ()) -> str:
    """Return the visible text of an element on one line."""
    return " ".join("".join(_raw(element, without)).split())


def _is_data(table: HtmlElement) -> bool:
    """True when a table holds data; tables, headings or code inside mean that it lays out the page."""
    return not any(True for _ in table.iterdescendants("table", "h1", "h2", "h3", "pre"))


def _rows(table: HtmlElement) -> Iterator[str]:
    for row in table.iter("caption", "tr"):
        if row.tag == "caption":
            yield _words(row)
        elif _is_visible(row):
            yield " | ".join(_words(cell) for cell in row if cell.tag in ("td", "th") and _is_visible(cell))


def _items(element: HtmlElement, depth: int = 0) -> Iterator[str]:
    """Yield the lines of a list, nested lists indented."""
    if depth > _MAX_DEPTH:
        yield _words(element)
        return
    for item in element:
        if not _is_visible(item):
            continue
        if item.tag in _LISTS:
            yield from _items(item, depth + 1)
            continue
        words = _words(item, _LISTS)
        if words:
            yield f"{'  ' * depth}{'' if item.tag == 'dd' else '- '}{words}"
        for nested in _lists_in(item):
            yield from _items(nested, depth + 1)


def _lists_in(element: HtmlElement, depth: int = 0) -> Iterator[HtmlElement]:
    """Yield the lists below an element, without those inside another list."""
    for child in element if depth < _MAX_DEPTH else ():
        if child.tag in _LISTS:
            yield child
        elif _is_visible(child):
            yield from _lists_in(child, depth + 1)


FORMAT = Format("html", (".html", ".htm", ".xhtml", ".xht"), load_html, signature=_SIGNATURE)
