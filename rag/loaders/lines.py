"""Headings and paragraphs out of the lines of printed pages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

_LARGER = 1.15  # height of a heading, in body heights
_LEVELS = 3
_HEADING_CHARS = 150
_FULL = 0.7  # share of the long lines' length from which a line was broken by the margin
_BULLET = re.compile(r"\s*(?:[•◦▪‣·*–—-]|\(?[0-9a-zA-Z]{1,3}[.)])\s")
_NO_LETTERS = re.compile(r"[\W\d_]+")
_HYPHENS = ("-", "\u2010")


@dataclass(frozen=True, slots=True)
class Line:
    """A printed line without white space around it.

    Attributes:
        text: Its words.
        height: In points; 0 when unknown.
        is_field: True for a field of a form, which is joined to no other line.
    """

    text: str
    height: float
    is_field: bool = False


def heading_levels(pages: Sequence[Sequence[Line]]) -> Mapping[float, int]:
    """Return the heading level, from 1, of each line height that is clearly larger than the body's.

    The body's height is the one with most characters.
    """
    chars: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            chars[line.height] += len(line.text)
    if not chars:
        return {}
    body = chars.most_common(1)[0][0]
    total = sum(chars.values())
    large = sorted((height for height in chars if height > body * _LARGER > 0), reverse=True)
    # So much large text is no headings: the pages mix sizes, as slides and posters do.
    if sum(chars[height] for height in large) > total / 4:
        return {}
    return {height: min(level, _LEVELS) for level, height in enumerate(large, 1)}


def running_heads(pages: Sequence[Sequence[Line]]) -> frozenset[str]:
    """Return the letters of lines that repeat at the top or bottom of many pages, such as the chapter's name."""
    pages_by_letters = Counter(_letters(line.text) for lines in pages for line in {*lines[:2], *lines[-2:]})
    least = max(3, len(pages) / 5)
    return frozenset(letters for letters, count in pages_by_letters.items() if count >= least and letters)


def paragraphs_of_lines(
    lines: Sequence[Line], levels: Mapping[float, int], running: Container[str] = ()
) -> Iterator[tuple[str, int]]:
    """Join the lines of one page to paragraphs, each with its heading level, 0 for body text.

    A line nearly as long as the page's long ones continues in the next; a shorter one ends there. Words hyphenated at
    a line end are joined when the next line starts in lower case.

    Args:
        lines: The lines of the page.
        levels: Heading level by line height.
        running: Letters of running heads, which are never headings whatever their height.
    """

    def height(line: Line) -> float:
        if line.height not in levels:
            return 0.0
        letters = _letters(line.text)
        return line.height if letters and letters not in running else 0.0

    for size, group in groupby(lines, height):
        block = list(group)
        text = _joined(block, size > 0)
        yield (text, levels[size]) if size and len(text) <= _HEADING_CHARS else (_joined(block, False), 0)


def _letters(text: str) -> str:
    return _NO_LETTERS.sub("", text)


def _joined(lines: Sequence[Line], one_line: bool) -> str:
    lengths = sorted(len(line.text) for line in lines)
    full = _FULL * lengths[int(0.9 * (len(lengths) - 1))]
    pieces = [lines[0].text]
    for before, line in pairwise(lines):
        text = line.text
        last = pieces[-1][-2:]
        if last.endswith(_HYPHENS) and last[0].isalpha() and text[:1].islower():
            pieces[-1] = pieces[-1][:-1]
        elif before.is_field or line.is_field:
            pieces.append("\n")
        elif one_line or (len(before.text) >= full and not _BULLET.match(text)):
            pieces.append(" ")
        else:
            pieces.append("\n")
        pieces.append(text)
    return "".join(pieces)
