"""PDF through pdfium, with pages and headings by size; pdfminer when pdfium finds nothing.

Text that is drawn invisibly counts, since that is how recognised text lies over a scan.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import EncryptedFileError, ScannedFileError, UnreadableFileError
from rag.loaders.builder import Location, TextBuilder
from rag.loaders.lines import Line, heading_levels, paragraphs_of_lines, running_heads
from rag.loaders.registry import Format
from rag.types import Document

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage, PdfTextPage

_SIGNATURE = re.compile(rb".{0,1024}?%PDF-", re.DOTALL)
_PASSWORD, _SECURITY = 4, 5
_DAMAGE = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, RecursionError, TypeError, ValueError,
    struct.error, zlib.error,
)  # fmt: skip
"""Errors that pdfminer raises for damaged files beside its own."""
_HYPHEN = "\ufffe"  # pdfium's mark for a hyphen at a line end, where it joins the two lines
_IN_WORD = re.compile(f"(?<=[^\\W\\d_]{{2}}){_HYPHEN}(?=[^\\W\\d_A-Z])")


def load_pdf(path: Path, name: str) -> Iterator[Document]:
    """Read a PDF as one document; every segment has its page.

    Raises:
        EncryptedFileError: It needs a password.
        ScannedFileError: Its pages are pictures.
        UnreadableFileError: It is damaged beyond reading.
    """
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as exc:
        if getattr(exc, "err_code", None) in (_PASSWORD, _SECURITY):
            raise EncryptedFileError("The PDF needs a password. Remove the password and upload it again.") from exc
        yield _built(_by_pdfminer(path), name, "")
        return
    with document:
        pages = [_lines(document, index) for index in range(len(document))]
        if any(pages):
            title = (document.get_metadata_value("Title") or "").strip()
            yield _built(pages, name, title)
            return
        if _has_pictures(document):
            raise ScannedFileError(
                f"Found {len(pages)} page(s) of pictures without a text layer. Run text recognition on the file first."
            )
    yield _built(_by_pdfminer(path), name, "")


def _lines(document: PdfDocument, index: int) -> list[Line]:
    """Return the lines of one page; none when the page is damaged."""
    import pypdfium2

    try:
        page = document[index]
        text_page = page.get_textpage()
    except pypdfium2.PdfiumError:
        return []
    lines = list(_lines_of(text_page))
    text_page.close()
    page.close()
    return lines


def _lines_of(text_page: PdfTextPage) -> Iterator[Line]:
    """Yield lines with the height of their first character's box, which follows the drawn font size; 0 without one."""
    from pypdfium2.raw import FS_RECTF, FPDFText_GetLooseCharBox

    box = FS_RECTF()
    offset = 0
    for raw in text_page.get_text_range().split("\r\n"):
        words = _IN_WORD.sub("", raw).replace(_HYPHEN, "-").strip() if _HYPHEN in raw else raw.strip()
        if words:
            has_box = FPDFText_GetLooseCharBox(text_page, offset + len(raw) - len(raw.lstrip()), box)
            yield Line(words, round(box.top - box.bottom, 1) if has_box else 0.0)
        offset += len(raw) + 2


def _has_pictures(document: PdfDocument) -> bool:
    import pypdfium2

    for index in range(len(document)):
        try:
            if _pictures(document[index]):
                return True
        except pypdfium2.PdfiumError:
            continue
    return False


def _pictures(page: PdfPage) -> bool:
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE

    return any(True for _ in page.get_objects(filter=[FPDF_PAGEOBJ_IMAGE]))


def _by_pdfminer(path: Path) -> list[list[Line]]:
    """Read the lines of each page with the second parser.

    Raises:
        UnreadableFileError: It fails too.
    """
    from pdfminer.high_level import extract_text
    from pdfminer.pdfexceptions import PDFException
    from pdfminer.psexceptions import PSException

    try:
        text = extract_text(path)
    except (PDFException, PSException, *_DAMAGE) as exc:
        raise UnreadableFileError(
            f"The PDF is damaged: two parsers failed, the last with {type(exc).__name__}. "
            "Export or print it to PDF again."
        ) from exc
    return [[Line(line.strip(), 0.0) for line in page.split("\n") if line.strip()] for page in text.split("\f")]


def _built(pages: list[list[Line]], name: str, title: str) -> Document:
    builder = TextBuilder()
    levels, running = heading_levels(pages), running_heads(pages)
    for number, lines in enumerate(pages, 1):
        location = Location(page=number)
        for text, level in paragraphs_of_lines(lines, levels, running):
            if level:
                builder.heading(text, level, location)
            else:
                builder.add(text, "text", location)
    return builder.document(name, "pdf", title)


FORMAT = Format("pdf", (".pdf",), load_pdf, signature=_SIGNATURE, binary=True)
