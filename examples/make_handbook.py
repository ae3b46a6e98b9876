"""Lay out `handbook_source.md` as `library/handbook/orvelle-staff-handbook.docx`; same source, same bytes.

`python -m examples.make_handbook` from the top folder. Headings get Word's own heading styles, tables are real tables.
"""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from docx import Document
from docx.document import Document as WordDocument
from docx.shared import Cm, Pt

HERE = Path(__file__).parent
SOURCE = HERE / "handbook_source.md"
TARGET = HERE / "library" / "handbook" / "orvelle-staff-handbook.docx"
TITLE = "Orvelle Staff Handbook"
DATE = datetime(2025, 1, 1, 8, 0, tzinfo=UTC)


def _table(document: WordDocument, lines: list[str]) -> None:
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    del rows[1]
    table = document.add_table(rows=0, cols=len(rows[0]), style="Table Grid")
    for number, row in enumerate(rows):
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
            cell.paragraphs[0].runs[0].bold = number == 0
    document.add_paragraph()


def _block(document: WordDocument, lines: list[str]) -> None:
    first = lines[0]
    if first.startswith("## "):
        document.add_heading(first[3:], 2)
    elif first.startswith("# "):
        document.add_heading(first[2:], 1)
    elif first.startswith("|"):
        _table(document, lines)
    elif first.startswith("Table: "):
        document.add_paragraph(first.removeprefix("Table: "), style="Caption").paragraph_format.keep_with_next = True
    else:
        document.add_paragraph(" ".join(lines))


def _with_fixed_dates(data: bytes) -> bytes:
    """Return the container packed anew, every entry with the same date."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist()):
            entry = zipfile.ZipInfo(name, DATE.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, old.read(name))
    return target.getvalue()


def build(target: Path = TARGET) -> None:
    """Write the DOCX."""
    document = Document()
    properties = document.core_properties
    properties.title, properties.author, properties.comments = TITLE, "Orvelle Klima GmbH", ""
    properties.created = properties.modified = DATE
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = "Calibri", Pt(11)
    normal.paragraph_format.space_after, normal.paragraph_format.line_spacing = Pt(9), 1.2
    for section in document.sections:
        section.page_width, section.page_height = Cm(21), Cm(29.7)
        section.left_margin = section.right_margin = Cm(2.6)
    document.add_heading(TITLE, 0)
    for block in SOURCE.read_text(encoding="utf-8").strip().split("\n\n"):
        _block(document, block.split("\n"))
    stream = io.BytesIO()
    document.save(stream)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(_with_fixed_dates(stream.getvalue()))


if __name__ == "__main__":
    build()
