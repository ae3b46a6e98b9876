"""DOCX, DOCM, DOTX and DOTM: headings, paragraphs, lists and tables in order.

Refuses what else lies in ZIP and OLE containers.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import DamagedFileError, EncryptedFileError, FileTooLargeError, UnsupportedFileError
from rag.loaders.builder import TextBuilder
from rag.loaders.registry import Format
from rag.types import Document

if TYPE_CHECKING:
    from docx.document import Document as WordDocument

MAX_UNPACKED = 400_000_000
"""Bytes that a container may unpack to."""
_MAX_ENTRIES = 20_000
_MAX_RATIO, _RATIO_COUNTS_FROM = 200, 20_000_000  # bytes out of one packed byte, and from how many unpacked bytes
_IS_ENCRYPTED = 0x1
_WORD_TYPES = (
    "application/vnd.ms-word.document.macroEnabled.main+xml",
    "application/vnd.ms-word.template.macroEnabledTemplate.main+xml",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml",
)
"""Content types of documents with macros and of templates, which are built as a DOCX is."""

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SIGNATURE = re.compile(rb"PK\x03\x04|PK\x05\x06|" + re.escape(_OLE))
_OTHERS = (
    ("xl/", "an Excel workbook", "Save each sheet as CSV."),
    ("ppt/", "a PowerPoint presentation", "Save it as PDF."),
    ("META-INF/container.xml", "an EPUB book", "Convert it to HTML or PDF."),
    ("content.xml", "an OpenDocument file", "Save it as DOCX or PDF."),
)
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_NOT_SHOWN = {f"{_W}{tag}" for tag in ("del", "moveFrom", "pPr", "rPr", "instrText", "delText", "txbxContent")}
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, LookupError, ValueError, EOFError, NotImplementedError, RecursionError,
    AttributeError, TypeError, RuntimeError,
)  # fmt: skip
"""Errors of zipfile and python-docx for damaged files."""
_BREAKS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}


def load_docx(path: Path, name: str) -> Iterator[Document]:
    """Read a DOCX as one document.

    Raises:
        EncryptedFileError: It is protected with a password.
        UnsupportedFileError: The container holds something else.
        FileTooLargeError: It would unpack to more than `MAX_UNPACKED` bytes.
        DamagedFileError: It is damaged.
    """
    with path.open("rb") as stream:
        if stream.read(8) == _OLE:
            _refuse_ole(path)
    try:
        _check_zip(path)
        document = _opened(path)
        title = document.core_properties.title or ""
        builder = TextBuilder()
        _add_blocks(builder, document.element.body, _style_levels(document))
    except _DAMAGE as exc:
        raise DamagedFileError(
            "The file is a damaged or cut-short DOCX or ZIP container. Open it in Word, save it again and upload it."
        ) from exc
    yield builder.document(name, "docx", title)


def _refuse_ole(path: Path) -> None:
    """Raise, always: an OLE container is an encrypted document or an old Office file."""
    if "EncryptedPackage".encode("utf-16-le") in path.read_bytes():
        raise EncryptedFileError("The document is protected with a password. Remove the password and upload it again.")
    raise UnsupportedFileError("Found an old Office file (DOC, XLS, PPT or MSG). Save it as DOCX or PDF.")


def _check_zip(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(1, path.stat().st_size)
    if unpacked > _RATIO_COUNTS_FROM and unpacked > _MAX_RATIO * packed:
        raise FileTooLargeError(
            f"The file unpacks to {unpacked / packed:,.0f} times its size, at most {_MAX_RATIO} times is read: it may "
            "be made to fill the disk. Save it again in Word, or as PDF."
        )
    if unpacked > MAX_UNPACKED or len(entries) > _MAX_ENTRIES:
        raise FileTooLargeError(
            f"The file unpacks to {unpacked / 1e6:,.0f} MB in {len(entries):,} entries, at most "
            f"{MAX_UNPACKED / 1e6:,.0f} MB in {_MAX_ENTRIES:,} are read. Split it."
        )
    if any(entry.flag_bits & _IS_ENCRYPTED for entry in entries):
        raise EncryptedFileError("The ZIP container has a password. Unpack it and upload the files inside.")
    names = [entry.filename for entry in entries]
    if any(name.startswith("word/") for name in names):
        return
    for mark, what, remedy in _OTHERS:
        if any(name.startswith(mark) for name in names):
            raise UnsupportedFileError(f"Found {what}, which is not read. {remedy}")
    raise UnsupportedFileError("Found a ZIP archive, which is not read. Unpack it and upload the files inside.")


def _opened(path: Path) -> WordDocument:
    """Open the main document of a container, whichever of the content types of Word it has.

    Raises:
        DamagedFileError: It has none, or what it has is malformed.
    """
    from docx.opc.exceptions import OpcError
    from docx.opc.part import PartFactory
    from docx.package import Package
    from docx.parts.document import DocumentPart
    from lxml.etree import LxmlError

    for content_type in _WORD_TYPES:
        PartFactory.part_type_for.setdefault(content_type, DocumentPart)
    try:
        with path.open("rb") as stream:  # a path would be quoted in messages
            part = Package.open(stream).main_document_part
    except (OpcError, LxmlError) as exc:
        raise DamagedFileError("The DOCX is damaged. Open it in Word, save it again and upload it.") from exc
    if not isinstance(part, DocumentPart):
        raise DamagedFileError("The container has no document of Word's in it. Save it as DOCX or PDF.")
    document: WordDocument = part.document
    return document


def _style_levels(document: WordDocument) -> dict[str, int]:
    """Return heading levels by style id, 0 for lists; built-in styles have English names in every language."""
    levels = {}
    for style in document.styles.element.iter(f"{_W}style"):
        label = style.find(f"{_W}name")
        words = (label.get(f"{_W}val") or "").lower().split() if label is not None else []
        outline = style.find(f"{_W}pPr/{_W}outlineLvl")
        if words == ["title"]:
            levels[style.get(f"{_W}styleId")] = 1
        elif len(words) == 2 and words[0] == "heading" and words[1].isdigit():
            levels[style.get(f"{_W}styleId")] = int(words[1])
        elif outline is not None and (level := int(outline.get(f"{_W}val", "9"))) < 9:
            levels[style.get(f"{_W}styleId")] = level + 1
        elif words[:1] == ["list"]:
            levels[style.get(f"{_W}styleId")] = 0
    return levels


def _add_blocks(builder: TextBuilder, parent: Any, levels: dict[str, int]) -> None:
    for block in parent:
        if block.tag == f"{_W}p":
            _add_paragraph(builder, block, levels)
        elif block.tag == f"{_W}tbl":
            builder.add("\n".join(_rows(block)), "table")
        elif block.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}moveTo", f"{_W}customXml"):
            _add_blocks(builder, block, levels)


def _add_paragraph(builder: TextBuilder, paragraph: Any, levels: dict[str, int]) -> None:
    """Add a paragraph as heading, item of a list or text. `levels` holds 0 for styles of lists."""
    # A text box is stored twice, for new and for old versions of Word; the old copy is the fallback.
    for box in paragraph.iter(f"{_W}txbxContent"):
        if not any(above.tag == _FALLBACK for above in box.iterancestors()):
            _add_blocks(builder, box, levels)
    text = "".join(_visible_text(paragraph))
    style = paragraph.find(f"{_W}pPr/{_W}pStyle")
    level = levels.get(style.get(f"{_W}val")) if style is not None else None
    if level:
        builder.heading(text, level)
    elif text.strip() and (level == 0 or paragraph.find(f"{_W}pPr/{_W}numPr") is not None):
        builder.add(f"- {text.strip()}", "list", gap="\n" if builder.last_kind == "list" else "\n\n")
    else:
        builder.add(text)


def _visible_text(element: Any) -> Iterator[str]:
    """Yield text as Word shows it: with insertions, without deletions, field codes and hidden runs."""
    for child in element:
        if child.tag in _NOT_SHOWN or child.find(f"{_W}rPr/{_W}vanish") is not None:
            continue
        if child.tag == f"{_W}t":
            yield child.text or ""
        elif child.tag in _BREAKS:
            yield _BREAKS[child.tag]
        elif child.tag != _FALLBACK:
            yield from _visible_text(child)


def _rows(table: Any) -> Iterator[str]:
    """Yield the rows of a table, cells with ` | ` between; a table in a cell is put on the cell's line."""
    for row in table.iterchildren(f"{_W}tr"):
        cells = (cell for cell in row.iter(f"{_W}tc") if next(cell.iterancestors(f"{_W}tr")) is row)
        yield " | ".join(_words(cell) for cell in cells)


def _words(cell: Any) -> str:
    paragraphs = ("".join(_visible_text(paragraph)) for paragraph in cell.iter(f"{_W}p"))
    return " ".join(" ".join(paragraphs).split())


FORMAT = Format("docx", (".docx", ".docm", ".dotx", ".dotm"), load_docx, signature=_SIGNATURE, binary=True)
