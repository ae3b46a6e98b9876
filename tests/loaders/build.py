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


def encrypted_pdf(pages: Sequence[str], password: str = "secret") -> bytes:
    """A PDF that opens with a password only."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(pages))))
    writer.encrypt(password, algorithm="RC4-128")
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
