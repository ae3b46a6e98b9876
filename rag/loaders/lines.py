"""From the lines of a printed page to headings and paragraphs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

_LARGER = 1.15
_LEVELS = 3
_HEADING_CHARS = 120
_FULL = 0.7
_BULLET = re.compile(r"\s*(?:[•◦▪‣·*–—-]|\(?[0-9a-zA-Z]{1,3}[.)])\s")
_HYPHENATED = re.compile(r"[^\W\d_][-\u2010]$")


@dataclass(frozen=True, slots=True)
class Line:
    """A printed line and its height in points; 0 when unknown."""

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


def paragraphs_of_lines(lines: Sequence[Line], levels: Mapping[float, int]) -> Iterator[tuple[str, int]]:
    """Paragraphs of one page and their heading level, 0 for body text.

    A line that is nearly as long as the page's long ones goes on in the next; a shorter one ends its line. Words that
    are hyphenated at a line end are joined when the next line goes on in lower case.
    """
    block: list[Line] = []
    level = 0
    for line in lines:
        own = levels.get(line.height, 0) if len(line.text) <= _HEADING_CHARS else 0
        own = own if any(char.isalpha() for char in line.text) else 0
        if block and own != level:
            yield _joined(block, level), level
            block = []
        block.append(line)
        level = own
    if block:
        yield _joined(block, level), level


def _joined(lines: Sequence[Line], level: int) -> str:
    lengths = sorted(len(line.text) for line in lines)
    full = _FULL * lengths[int(0.9 * (len(lengths) - 1))]
    pieces = [lines[0].text.strip()]
    for before, line in pairwise(lines):
        text = line.text.strip()
        if _HYPHENATED.search(pieces[-1]) and text[:1].islower():
            pieces[-1] = pieces[-1][:-1]
        elif level or (len(before.text) >= full and not _BULLET.match(text)):
            pieces.append(" ")
        else:
            pieces.append("\n")
        pieces.append(text)
    return "".join(pieces)
