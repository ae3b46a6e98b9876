"""PDFs written by hand, for benches that read some: `manual(folder)` prints Python's own manual, one topic a file.

Two kinds of fonts take turns. `plain` files draw cp1252 text in Helvetica, as reports and old tools do. `composite`
files draw two-byte glyph numbers with a map back to Unicode, each word at its own position, as browsers and word
processors do.
"""

from __future__ import annotations

import pydoc_data.topics
import re
import textwrap
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

WIDTH, HEIGHT, MARGIN = 595, 842, 56
BODY, SMALL = 10, 9
HEADINGS = {"*": 20, "=": 15, "-": 12}
"""Font sizes by the character that underlines a heading in the manual."""
LINE_CHARS = 92
EM = 0.5
"""Mean width of a character in ems, for the steps between words."""
LONGEST = 40_000
"""Most characters of a topic that are printed."""
SHORTEST = 1_500
COMMON = 12
"""Rows of the table of frequent words that ends each file."""

Show = Callable[[float, float, float, str], str]
"""Drawing of a line of text: (x, y, size, text) -> operators of a content stream."""
_UNDERLINE = re.compile(r"[*=-]{4,}")
_RUN = re.compile(r"(?:\s*\S+){1,4}")
_WORD = re.compile(r"[A-Za-z]{4,}")
_MAP = """/CIDInit /ProcSet findresource begin 12 dict begin begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def /CMapName /Identity def /CMapType 2 def
1 begincodespacerange <0000> <FFFF> endcodespacerange
2 beginbfrange <0000> <00FF> <0000> <2000> <20FF> <2000> endbfrange
endcmap CMapName currentdict /CMap defineresource pop end end"""


class Sheets:
    """Pages that fill from top to bottom.

    Args:
        composite: Draw with two-byte glyph numbers instead of cp1252 text.
    """

    def __init__(self, composite: bool = False) -> None:
        self._show: Show = _show_composite if composite else _show_plain
        self._composite = composite
        self._pages: list[list[str]] = [[]]
        self._y = float(HEIGHT - MARGIN)

    def line(self, text: str, size: float = BODY, x: float = MARGIN) -> None:
        """Draw one line, on a new page when this one is full."""
        self._advance(size)
        self._pages[-1].append(self._show(x, self._y, size, text))

    def heading(self, text: str, size: float) -> None:
        """Draw a heading with space above it."""
        self._y -= size / 2
        self.line(text, size)

    def paragraph(self, text: str) -> None:
        """Draw running text, wrapped, with space below it."""
        for line in textwrap.wrap(text, LINE_CHARS):
            self.line(line)
        self._y -= BODY / 2

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Draw cells in columns of one width, a rule below each row."""
        column = (WIDTH - 2 * MARGIN) / max(map(len, rows))
        for row in rows:
            self._advance(SMALL)
            cells = (self._show(MARGIN + i * column, self._y, SMALL, cell) for i, cell in enumerate(row))
            self._pages[-1] += [*cells, f"{MARGIN} {self._y - 3:g} {WIDTH - 2 * MARGIN} 0.5 re f"]

    def file(self, title: str = "") -> bytes:
        """Return the whole file."""
        streams = ["\n".join(page).encode("cp1252", "replace") for page in self._pages]
        return pdf(streams, _COMPOSITE_FONT if self._composite else _PLAIN_FONT, title)

    def _advance(self, size: float) -> None:
        if self._y - 1.3 * size < MARGIN:
            self._pages.append([])
            self._y = float(HEIGHT - MARGIN)
        self._y -= 1.3 * size


def _show_plain(x: float, y: float, size: float, text: str) -> str:
    escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"BT /F1 {size:g} Tf 1 0 0 1 {x:g} {y:g} Tm ({escaped}) Tj ET"


def _show_composite(x: float, y: float, size: float, text: str) -> str:
    runs = []
    for match in _RUN.finditer(text):
        glyphs = "".join(f"{ord(letter):04X}" for letter in match[0])
        runs.append(f"1 0 0 1 {x + match.start() * EM * size:g} {y:g} Tm <{glyphs}> Tj")
    return f"BT /F1 {size:g} Tf {' '.join(runs)} ET"


def _stream(content: bytes) -> bytes:
    packed = zlib.compress(content)
    return b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed)


_PLAIN_FONT = (b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",)
_COMPOSITE_FONT = (
    b"<< /Type /Font /Subtype /Type0 /BaseFont /Helvetica /Encoding /Identity-H /DescendantFonts [4 0 R] "
    b"/ToUnicode 5 0 R >>",
    b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Helvetica /DW 500 /FontDescriptor 6 0 R "
    b"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>",
    _stream(_MAP.encode()),
    b"<< /Type /FontDescriptor /FontName /Helvetica /Flags 32 /FontBBox [0 -200 1000 900] /ItalicAngle 0 /Ascent 900 "
    b"/Descent -200 /CapHeight 700 /StemV 80 >>",
)


def pdf(pages: Sequence[bytes], font: Sequence[bytes] = _PLAIN_FONT, title: str = "") -> bytes:
    """Return a PDF.

    Args:
        pages: One content stream a page; text is drawn with the font `/F1`.
        font: Objects of the font, numbered from 3 on; the first is the font itself.
        title: Title among the file's properties, cp1252 characters only.
    """
    first = 3 + len(font)
    kids = " ".join(f"{first + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids.encode(), len(pages)),
        *font,
    ]
    for number, content in enumerate(pages):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents %d 0 R /Resources << /Font << /F1 3 0 R >> "
            b">> >>" % (WIDTH, HEIGHT, first + 2 * number + 1)
        )
        objects.append(_stream(content))
    objects.append(b"<< /Title (%s) >>" % title.encode("cp1252"))
    return _file(objects)


def _file(objects: Sequence[bytes]) -> bytes:
    """The objects with the table of their offsets; the last one is the file's properties."""
    body, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    size = len(objects) + 1
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer << /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, size - 1, len(body))
    return bytes(body) + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + trailer


def manual(folder: Path) -> list[Path]:
    """Print every longer topic of Python's own manual, plain and composite in turn; return the files."""
    topics: Mapping[str, str] = pydoc_data.topics.topics
    paths: list[Path] = []
    for name, text in sorted(topics.items()):
        if len(text) >= SHORTEST:
            kind = "composite" if len(paths) % 2 else "plain"
            path = folder / f"{name}-{kind}.pdf"
            path.write_bytes(_topic(name, text[:LONGEST], kind == "composite"))
            paths.append(path)
    return paths


def _topic(name: str, text: str, composite: bool) -> bytes:
    sheets = Sheets(composite)
    for block in _blocks(text):
        lines = block.split("\n")
        if len(lines) == 2 and _UNDERLINE.fullmatch(lines[1]):
            sheets.heading(lines[0], HEADINGS[lines[1][0]])
        elif block.startswith("   "):
            for line in lines:
                sheets.line(line, SMALL)
        else:
            sheets.paragraph(" ".join(lines))
    counts = Counter(_WORD.findall(text.lower())).most_common(COMMON)
    sheets.heading("Frequent words", HEADINGS["-"])
    sheets.table([("word", "times", "characters"), *((word, str(count), str(len(word))) for word, count in counts)])
    return sheets.file(name)


def _blocks(text: str) -> Iterator[str]:
    yield from (block.rstrip() for block in re.split(r"\n\s*\n(?=\S|   )", text) if block.strip())
