"""Lay out `manual_source.md` as `library/manual/orvelle-g4-manual.pdf`; the same source gives the same bytes.

`python -m examples.make_manual` from the top folder. The source knows chapters (`#`), sections (`##`), paragraphs,
lists, numbered steps, tables with a caption line before them, warnings (`>`) and the place of the figure (`!figure`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.enums import TA_LEFT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    ListFlowable,
    ListItem,
    NextPageTemplate,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
)
from reportlab.platypus.tableofcontents import TableOfContents

HERE = Path(__file__).parent
SOURCE = HERE / "manual_source.md"
TARGET = HERE / "library" / "manual" / "orvelle-g4-manual.pdf"
TITLE = "Orvelle G4 Installation and Operating Manual"
EDITION = "Edition 7, for firmware 4.6, document DOC-4400-EN-07, March 2025"
GREEN = colors.HexColor("#1f5f3f")
GREY = colors.HexColor("#d9d9d9")
WIDTH = A4[0] - 46 * mm


def _style(name: str, size: float, leading: float, **more: Any) -> ParagraphStyle:
    return ParagraphStyle(name, fontName="Helvetica", fontSize=size, leading=leading, alignment=TA_LEFT, **more)


BODY = _style("body", 10.5, 15, spaceAfter=7)
CELL = _style("cell", 9, 12)
HEAD_CELL = ParagraphStyle("head-cell", CELL, fontName="Helvetica-Bold")
CAPTION = ParagraphStyle("caption", CELL, spaceBefore=6, spaceAfter=5, textColor=GREEN)
CHAPTER = ParagraphStyle("chapter", BODY, fontName="Helvetica-Bold", fontSize=18, leading=24, spaceAfter=10)
SECTION = ParagraphStyle(
    "section", BODY, fontName="Helvetica-Bold", fontSize=13, leading=18, spaceBefore=8, keepWithNext=1
)
WARNING = ParagraphStyle(
    "warning", BODY, borderColor=GREEN, borderWidth=1, borderPadding=5, spaceBefore=12, spaceAfter=16
)


class System(Flowable):
    """Figure 1: how sensors, controller, Bridge, router and Fields are joined."""

    def __init__(self) -> None:
        super().__init__()
        self.width, self.height = WIDTH, 88 * mm

    def draw(self) -> None:
        """Draw boxes first, then the lines between them with their names."""
        self.canv.setFillColor(colors.black)
        for x, y, name, below in (
            (2, 62, "Wired sensors OK-2010", "1 to 24 in one line"),
            (60, 62, "Controller G4 OK-4400", "R1-R8, A1-A4, D1, D2, W1"),
            (118, 62, "Heating, vents, misting", "fans, screens, valve"),
            (2, 14, "Leaf OK-2100", "up to 40 per Bridge"),
            (60, 14, "Bridge OK-3300", "PoE or 12 V"),
            (118, 14, "Router and Fields", "ports 8883 and 443 outwards"),
        ):
            self._box(x, y, name, below)
        for x0, y0, x1, y1, name in (
            (46, 71, 60, 71, "RS-485"),
            (104, 71, 118, 71, "relays"),
            (46, 23, 60, 23, "868 MHz"),
            (104, 23, 118, 23, "Ethernet"),
            (82, 32, 82, 62, "same subnet"),
            (104, 62, 118, 32, "Ethernet"),
        ):
            self._line(x0, y0, x1, y1, name)
        for x, name in ((2, "120 ohm"), (46, "J3 = ON")):
            self.canv.drawString(x * mm, 57 * mm, name)

    def _box(self, x: float, y: float, name: str, below: str) -> None:
        canvas = self.canv
        canvas.setStrokeColor(GREEN)
        canvas.roundRect(x * mm, y * mm, 44 * mm, 18 * mm, 2 * mm)
        canvas.setFont("Helvetica-Bold", 8)
        canvas.drawCentredString((x + 22) * mm, (y + 11) * mm, name)
        canvas.setFont("Helvetica", 7.5)
        canvas.drawCentredString((x + 22) * mm, (y + 5) * mm, below)

    def _line(self, x0: float, y0: float, x1: float, y1: float, name: str) -> None:
        canvas = self.canv
        canvas.line(x0 * mm, y0 * mm, x1 * mm, y1 * mm)
        canvas.setFont("Helvetica", 6.5)
        place = ((x0 + x1) / 2 + (0.5 if y0 == y1 else 2)) * mm, ((y0 + y1) / 2 + 1.5) * mm
        if y0 == y1:
            canvas.drawCentredString(*place, name)
        else:
            canvas.drawString(*place, name)


class Manual(BaseDocTemplate):
    """A cover, then pages with head and foot; headings are reported to the table of contents."""

    def __init__(self, target: Path) -> None:
        super().__init__(
            str(target), pagesize=A4, title=TITLE, author="Orvelle Klima GmbH", subject=EDITION, invariant=1, lang="en"
        )
        frame = Frame(23 * mm, 24 * mm, WIDTH, A4[1] - 50 * mm, 0, 0, 0, 0)
        self.addPageTemplates(
            [PageTemplate("cover", [frame], onPage=_cover), PageTemplate("inside", [frame], onPage=_head_and_foot)]
        )

    def afterFlowable(self, flowable: Flowable) -> None:  # noqa: N802 - reportlab's name
        """Report a heading with its page."""
        level = {"chapter": 0, "section": 1}.get(getattr(getattr(flowable, "style", None), "name", ""))
        if level is None:
            return
        text = flowable.getPlainText()
        key = "h-" + text.split(" ", 1)[0]
        self.canv.bookmarkPage(key)
        self.canv.addOutlineEntry(text, key, level)
        self.notify("TOCEntry", (level, escape(text), self.page, key))


def _cover(canvas: Canvas, _: BaseDocTemplate) -> None:
    canvas.setFillColor(GREEN)
    canvas.rect(0, A4[1] - 95 * mm, A4[0], 95 * mm, stroke=0, fill=1)


def _head_and_foot(canvas: Canvas, document: BaseDocTemplate) -> None:
    canvas.setFont("Helvetica", 8)
    canvas.setFillColor(colors.grey)
    canvas.drawString(23 * mm, A4[1] - 15 * mm, "Orvelle G4 manual")
    canvas.drawRightString(A4[0] - 23 * mm, A4[1] - 15 * mm, "DOC-4400-EN-07")
    canvas.drawCentredString(A4[0] / 2, 13 * mm, str(document.page))


def _front() -> Iterator[Flowable]:
    white = ParagraphStyle("cover-title", BODY, fontName="Helvetica-Bold", fontSize=26, leading=34)
    white.textColor = colors.white
    yield Spacer(1, 22 * mm)
    yield Paragraph(TITLE, white)
    yield Spacer(1, 45 * mm)
    for line in (
        "Climate controller for greenhouses and polytunnels",
        EDITION,
        "Part numbers OK-4400 (G4) and OK-4410 (G4 Mini)",
        "Orvelle Klima GmbH, Lübeck. Sales and support for Spain: office Valencia",
    ):
        yield Paragraph(line, BODY)
    yield NextPageTemplate("inside")
    yield PageBreak()
    yield Paragraph("Contents", ParagraphStyle("contents", CHAPTER))
    contents = TableOfContents(dotsMinLevel=0)
    contents.levelStyles = [
        ParagraphStyle("toc0", CELL, fontName="Helvetica-Bold", spaceBefore=2),
        ParagraphStyle("toc1", CELL, fontSize=8.5, leading=9.2, leftIndent=12),
    ]
    yield contents


def _table(lines: list[str]) -> Table:
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    del rows[1]
    longest = [max(9.0, max(len(row[i]) for row in rows) ** 0.8) for i in range(len(rows[0]))]
    widths = [WIDTH * share / sum(longest) for share in longest]
    cells = [
        [Paragraph(escape(cell), CELL if number else HEAD_CELL) for cell in row] for number, row in enumerate(rows)
    ]
    table = Table(cells, colWidths=widths, repeatRows=1, spaceAfter=10)
    table.setStyle([
        ("GRID", (0, 0), (-1, -1), 0.5, colors.grey),
        ("BACKGROUND", (0, 0), (-1, 0), GREY),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ])  # fmt: skip
    return table


def _list(lines: list[str]) -> ListFlowable:
    numbered = lines[0][0].isdigit()
    items = [ListItem(Paragraph(escape(re.sub(r"^(?:-|\d+\.) ", "", line)), BODY)) for line in lines]
    if numbered:
        return ListFlowable(items, bulletType="1", bulletFormat="%s.", leftIndent=18)
    return ListFlowable(items, bulletType="bullet", start="-", leftIndent=18)


def _chapter(text: str) -> Iterator[Flowable]:
    yield CondPageBreak(95 * mm)
    yield Spacer(1, 4 * mm)
    yield Paragraph(escape(text), CHAPTER)


def _block(lines: list[str]) -> Iterator[Flowable]:
    first = lines[0]
    starts: tuple[tuple[str, Callable[[], Iterator[Flowable]]], ...] = (
        ("## ", lambda: iter([Paragraph(escape(first[3:]), SECTION)])),
        ("# ", lambda: _chapter(first[2:])),
        ("!figure", lambda: iter([System(), Paragraph("Figure 1: A system with G4, Bridge and Fields", CAPTION)])),
        ("> ", lambda: iter([Paragraph(escape(first[2:]), WARNING)])),
        ("|", lambda: iter([_table(lines)])),
        ("Table ", lambda: iter([CondPageBreak(45 * mm), Paragraph(escape(first), CAPTION)])),
        ("- ", lambda: iter([_list(lines)])),
        ("1. ", lambda: iter([_list(lines)])),
    )
    for start, build in starts:
        if first.startswith(start):
            yield from build()
            return
    yield Paragraph(escape(" ".join(lines)), BODY)


def story() -> Iterator[Flowable]:
    """Yield the manual from cover to the last chapter."""
    yield from _front()
    yield PageBreak()
    for block in SOURCE.read_text(encoding="utf-8").strip().split("\n\n"):
        yield from _block(block.split("\n"))


def build(target: Path = TARGET) -> None:
    """Write the PDF."""
    target.parent.mkdir(parents=True, exist_ok=True)
    Manual(target).multiBuild(list(story()))


if __name__ == "__main__":
    build()
