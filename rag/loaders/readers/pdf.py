"""PDF through pdfium, with pages and headings by size; pdfminer when pdfium finds nothing.

Text that is drawn invisibly counts, since that is how recognised text lies over a scan.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import DamagedFileError, EncryptedFileError, ScannedFileError, UndecodableFileError
from rag.loaders.builder import Location, TextBuilder
from rag.loaders.garbled import is_garbled
from rag.loaders.lines import Line, heading_levels, paragraphs_of_lines, running_heads
from rag.loaders.pdf_forms import Field, filled_fields, open_forms
from rag.loaders.registry import Format
from rag.types import Document

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage, PdfTextPage

_SIGNATURE = re.compile(rb"(?:\xef\xbb\xbf)?\s{0,64}%PDF-")
_LATE_SIGNATURE = re.compile(rb".{0,1024}?%PDF-", re.DOTALL)
_PASSWORD, _SECURITY = 4, 5
_SAME_LINE = 4.0  # points between the middles of a field and of the words before it
_DAMAGE = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, RecursionError, TypeError, ValueError,
    struct.error, zlib.error,
)  # fmt: skip
"""Errors that pdfminer raises for damaged files beside its own."""
_LOCKED = "The PDF needs a password. Remove the password and upload it again."
_HYPHEN = "\ufffe"  # pdfium's mark for a hyphen at a line end, where it joins the two lines
_IN_WORD = re.compile(f"(?<=[^\\W\\d_]{{2}}){_HYPHEN}(?=[^\\W\\d_A-Z])")


def load_pdf(path: Path, name: str) -> Iterator[Document]:
    """Read a PDF as one document; every segment has its page.

    Raises:
        EncryptedFileError: It needs a password.
        ScannedFileError: Its pages are pictures.
        UndecodableFileError: Its fonts do not say which letters they show.
        DamagedFileError: It is damaged beyond reading.
    """
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as exc:
        if getattr(exc, "err_code", None) in (_PASSWORD, _SECURITY):
            raise EncryptedFileError(_LOCKED) from exc
        yield _built(_by_pdfminer(path), name, "")
        return
    with document:
        open_forms(document)
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
    """Return the lines of one page with its filled fields between; none when the page is damaged."""
    import pypdfium2

    try:
        page = document[index]
        text_page = page.get_textpage()
    except pypdfium2.PdfiumError:
        return []
    lines = list(_with_fields(_lines_of(text_page), filled_fields(document, page)))
    text_page.close()
    page.close()
    return lines


def _lines_of(text_page: PdfTextPage) -> Iterator[tuple[Line, float]]:
    """Yield lines and how high above the bottom of the page each begins, in points; 0 when unknown.

    The height of a line is that of its first character's box, which follows the drawn font size; 0 without one.
    """
    from pypdfium2.raw import FS_RECTF, FPDFText_GetLooseCharBox

    box = FS_RECTF()
    offset = 0
    for raw in text_page.get_text_range().split("\r\n"):
        words = _IN_WORD.sub("", raw).replace(_HYPHEN, "-").strip() if _HYPHEN in raw else raw.strip()
        if words:
            has_box = FPDFText_GetLooseCharBox(text_page, offset + len(raw) - len(raw.lstrip()), box)
            line = Line(words, round(box.top - box.bottom, 1) if has_box else 0.0)
            yield line, (box.top + box.bottom) / 2 if has_box else 0.0
        offset += len(raw) + 2


def _with_fields(lines: Iterator[tuple[Line, float]], fields: Sequence[Field]) -> Iterator[Line]:
    """Yield the lines, each field after the last line that is not below it. Without fields nothing moves."""
    everything = list(lines)
    for field in reversed(fields):
        beside = [index for index, (_, height) in enumerate(everything) if height >= field.height - _SAME_LINE]
        position = beside[-1] + 1 if beside else 0
        everything.insert(position, (Line(field.text, 0.0, is_field=True), field.height))
    for line, _ in everything:
        yield line


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
        EncryptedFileError: It needs a password, or is encrypted in an unknown way.
        DamagedFileError: It fails too.
    """
    from pdfminer.high_level import extract_text
    from pdfminer.pdfdocument import PDFEncryptionError, PDFPasswordIncorrect
    from pdfminer.pdfexceptions import PDFException
    from pdfminer.psexceptions import PSException

    try:
        text = extract_text(path)
    except PDFPasswordIncorrect as exc:
        raise EncryptedFileError(_LOCKED) from exc
    except PDFEncryptionError as exc:
        reason = "The PDF is encrypted in a way that is not known. Save it without protection and upload it again."
        raise EncryptedFileError(reason) from exc
    except (PDFException, PSException, *_DAMAGE) as exc:
        raise DamagedFileError(
            "The PDF is damaged or cut short. Open it in a viewer, print or export it to PDF, and upload that."
        ) from exc
    return [[Line(line.strip(), 0.0) for line in page.split("\n") if line.strip()] for page in text.split("\f")]


def _built(pages: list[list[Line]], name: str, title: str) -> Document:
    """Make the document.

    Raises:
        UndecodableFileError: The text is garbled.
    """
    if is_garbled([" ".join(line.text for line in lines) for lines in pages]):
        raise UndecodableFileError(
            "The PDF shows text, but its fonts do not say which letters they show, so that it reads as gibberish. Run "
            "text recognition on it, or export it again from the program that made it."
        )
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


FORMAT = Format("pdf", (".pdf",), load_pdf, signature=_SIGNATURE, binary=True, late_signature=_LATE_SIGNATURE)
