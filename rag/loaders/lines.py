"""From the lines of a printed page to headings and paragraphs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

_LARGER = 1.15
_LEVELS = 3
_HEADING_CHARS = 150
_FULL = 0.7
_BULLET = re.compile(r"\s*(?:[•◦▪‣·*–—-]|\(?[0-9a-zA-Z]{1,3}[.)])\s")
_NO_LETTERS = re.compile(r"[\W\d_]+")
_HYPHENS = ("-", "\u2010")


@dataclass(frozen=True, slots=True)
class Line:
    """A printed line without white space around it, and its height in points; 0 when unknown."""

    text: str
    height: float


def heading_levels(pages: Sequence[Sequence[Line]]) -> Mapping[float, int]:
    """Level from 1 of each line height that stands out from the body's, the most common height by characters."""
    chars: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            chars[line.height] += len(line.text)
    if not chars:
        return {}
    body = chars.most_common(1)[0][0]
    total = sum(chars.values())
    large = sorted((height for height in chars if height > body * _LARGER > 0), reverse=True)
    if sum(chars[height] for height in large) > total / 4:
        return {}
    return {height: min(level, _LEVELS) for level, height in enumerate(large, 1)}


def running_heads(pages: Sequence[Sequence[Line]]) -> frozenset[str]:
    """Letters of the lines that stand at the top or bottom of many pages, such as the name of the chapter."""
    seen = Counter(_letters(line.text) for lines in pages for line in {*lines[:2], *lines[-2:]})
    many = max(3, len(pages) / 5)
    return frozenset(letters for letters, count in seen.items() if count >= many and letters)


def paragraphs_of_lines(
    lines: Sequence[Line], levels: Mapping[float, int], running: Container[str] = ()
) -> Iterator[tuple[str, int]]:
    """Paragraphs of one page and their heading level, 0 for body text.

    A line that is nearly as long as the page's long ones goes on in the next; a shorter one ends its line. Words that
    are hyphenated at a line end are joined when the next line goes on in lower case.

    Args:
        lines: The lines of the page.
        levels: Heading level by line height.
        running: Letters of lines that are no headings whatever their height.
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
        elif one_line or (len(before.text) >= full and not _BULLET.match(text)):
            pieces.append(" ")
        else:
            pieces.append("\n")
        pieces.append(text)
    return "".join(pieces)
