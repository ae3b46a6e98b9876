"""Small real files, made on the fly."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path

SHARED = Path(__file__).resolve().parents[2].parent / "shared"


def pdf(pages: Sequence[str], title: str = "") -> bytes:
    """A PDF with one page per text, cp1252 characters only; a line that begins with `# ` is drawn large."""
    return _pdf([(_content(page), "") for page in pages], title)


def scanned_pdf(pages: int = 1) -> bytes:
    """A PDF whose pages are a picture each."""
    image = "/XObject << /I 4 0 R >>"
    return _pdf([(b"q 200 0 0 200 100 400 cm /I Do Q", image)] * pages)


def encrypted_pdf(pages: Sequence[str], password: str = "secret", algorithm: str = "RC4-128") -> bytes:
    """A PDF that opens with a password only."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(pages))))
    writer.encrypt(password, algorithm=algorithm)
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def docx(blocks: Iterable[tuple[str, object]], title: str = "") -> bytes:
    """A DOCX of blocks: ("h1", words) to ("h9", ...), ("p", words), ("li", words), ("table", rows of cells)."""
    import docx as python_docx

    document = python_docx.Document()
    document.core_properties.title = title
    for kind, content in blocks:
        if kind == "table":
            rows = [list(row) for row in content]
            table = document.add_table(len(rows), len(rows[0]))
            for row, cells in zip(table.rows, rows, strict=True):
                for cell, words in zip(row.cells, cells, strict=True):
                    cell.text = words
        elif kind == "li":
            document.add_paragraph(str(content), style="List Bullet")
        elif kind == "p":
            document.add_paragraph(str(content))
        else:
            document.add_heading(str(content), int(kind[1:]))
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _content(page: str) -> bytes:
    drawn = ["BT", "72 760 Td"]
    for line in page.split("\n"):
        size, words = (22, line[2:]) if line.startswith("# ") else (11, line)
        escaped = words.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        drawn += [f"/F1 {size} Tf", f"0 -{size + 4} Td", f"({escaped}) Tj"]
    return "\n".join([*drawn, "ET"]).encode("cp1252")


def _pdf(pages: Sequence[tuple[bytes, str]], title: str = "") -> bytes:
    image = (
        b"<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 /Length 1 >>"
    )
    first = 5
    kids = " ".join(f"{first + 2 * index} 0 R" for index in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        image + b"\nstream\n\x80\nendstream",
    ]
    for index, (content, resources) in enumerate(pages):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {first + 2 * index + 1} 0 R "
            f"/Resources << /Font << /F1 3 0 R >> {resources} >> >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    objects.append(b"<< /Title (%s) >>" % title.encode("cp1252"))
    return _file(objects)


def _file(objects: Sequence[bytes]) -> bytes:
    data = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for offset in offsets:
        data += b"%010d 00000 n \n" % offset
    data += b"trailer << /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        len(objects),
        start,
    )
    return bytes(data)


def form_pdf(words: str, fields: Sequence[str]) -> bytes:
    """A page of words at its top, and below them the fields of a form, each the inside of a PDF dictionary.

    Fields are drawn from 700 points above the bottom of the page downwards, 20 points apart.
    """
    first = 8
    refs = " ".join(f"{first + index} 0 R" for index in range(len(fields)))
    content = _content(words)
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [{refs}] >> >>".encode(),
        b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R /Annots [%s] "
        b"/Resources << /Font << /F1 3 0 R >> >> >>" % refs.encode(),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< >>",
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Length 0 >>\nstream\n\nendstream",
    ]
    for index, field in enumerate(fields):
        top = 700 - 20 * index
        box = f"/Rect [72 {top - 12} 200 {top}]"
        objects.append(f"<< /Type /Annot /Subtype /Widget /P 4 0 R {box} {field} >>".encode("cp1252"))
    return _file([*objects, b"<< /Title () >>"])


def garbled_pdf(words: str, shift: int, wide: bool) -> bytes:
    """A page that shows words and says nothing of which letters they are: each code is a letter's less `shift`.

    Args:
        words: Printable ASCII.
        shift: What is taken from each letter's code, as the order of the shapes in a font does.
        wide: True for codes of two bytes, as most programs write; else one, with names of shapes that mean nothing.
    """
    codes = b"".join((ord(char) - shift).to_bytes(2 if wide else 1, "big") for char in words)
    content = b"BT /F1 11 Tf 72 760 Td <%s> Tj ET" % codes.hex().encode()
    names = b" ".join(b"/g%d" % number for number in range(1, 255))
    narrow = b"<< /Type /Font /Subtype /Type1 /BaseFont /AAAAAA+F /Encoding << /Differences [1 %s] >> >>" % names
    wide_font = (
        b"<< /Type /Font /Subtype /Type0 /BaseFont /AAAAAA+F /Encoding /Identity-H /DescendantFonts [<< /Type /Font "
        b"/Subtype /CIDFontType2 /BaseFont /AAAAAA+F /DW 600 /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) "
        b"/Supplement 0 >> >>] >>"
    )
    return _file([
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [5 0 R] /Count 1 >>",
        wide_font if wide else narrow,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 3 0 R >> >> >>",
        b"<< /Title () >>",
    ])  # fmt: skip
