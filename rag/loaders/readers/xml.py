"""XML as its text, without tags; entities are never resolved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag.errors import DamagedFileError
from rag.loaders.builder import Location, TextBuilder
from rag.loaders.encoding import decode_text
from rag.loaders.registry import Format
from rag.types import Document

_SIGNATURE = re.compile(rb"[\xef\xbb\xbf \t\r\n]*+<\?xml")

_ENCODING = re.compile(rb"[\xef\xbb\xbf \t\r\n]*+<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})")


def load_xml(path: Path, name: str) -> Iterator[Document]:
    """Read a file as one document, a segment for each stretch of text with the line of its element.

    Raises:
        DamagedFileError: It is not well formed.
    """
    from lxml import etree

    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        huge_tree=False,
    )
    data = path.read_bytes()
    declared = _ENCODING.match(data)
    text = decode_text(data, declared.group(1).decode("ascii") if declared else "")
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError as exc:
        raise DamagedFileError(f"Found XML that is not well formed ({exc.msg}). Correct it, or name it .txt.") from exc
    builder = TextBuilder()
    for text, line in _texts(root):
        builder.add(text, "text", Location(line_start=line, line_end=line), gap="\n")
    yield builder.document(name, "text", root.findtext("title") or "")


def _texts(root: Any) -> Iterator[tuple[str, int | None]]:
    """Yield text and line of each element that has text of its own, with all that is inside it."""
    stack = [root]  # no recursion: XML nests as deep as its author likes
    while stack:
        element = stack.pop()
        if not isinstance(element.tag, str):
            continue
        if any(text.strip() for text in (element.text or "", *(child.tail or "" for child in element))):
            yield " ".join("".join(element.itertext()).split()), element.sourceline
        else:
            stack.extend(reversed(element))


FORMAT = Format("xml", (".xml", ".rss", ".atom", ".xsd", ".svg"), load_xml, signature=_SIGNATURE)
