"""Where the model's tokens begin in a text, found once; and cuts that keep within its limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rag.text import Offsets, trim

TokenOffsets = Callable[[str], list[Offsets]]
"""`Embedder.token_offsets`: spans of a text's tokens, without special tokens, uncut."""

MAX_WINDOWS = 16
"""Most windows that stand for one long text."""

_STRETCH = 1 << 16
_WIDEST = 64  # characters that count as one token at most: bounds a chunk where tokens or white space are huge
_WIDE_WINDOW = 6  # characters a token taken for a window of a huge text


class Tokens:
    """Counts tokens of slices of one text.

    The text is tokenised once, in stretches cut at white space; slices are counted by bisection. Such a count is right
    between white space and can be a little off elsewhere, so `exact` has the last word on whatever is embedded.

    Args:
        text: Text of a document.
        offsets: The model's tokeniser.
        limit: Most tokens of an embedded text, the prompt and special tokens already taken off.
        spare: Tokens by which the model's own limit is above that limit.
        lead: Put before every embedded slice; cut when it takes more than a quarter of the limit.

    Attributes:
        limit: Most tokens of a slice, the lead taken off too.
    """

    def __init__(self, text: str, offsets: TokenOffsets, limit: int, spare: int = 0, lead: str = "") -> None:
        self.text = text
        self._offsets = offsets
        self._total = limit
        led = offsets(lead)[: limit // 4] if lead else []
        self._lead = lead[: led[-1][1]] + "\n" if led else ""
        self.limit = limit - len(led)
        self._trusted = spare >= limit // 8
        self._whole = -1

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """First character of every token, ascending; wide gaps hold made-up starts."""
        found: list[int] = []
        for begin, end in _stretches(self.text):
            found.extend(begin + start for start, _ in self._offsets(self.text[begin:end]))
        if len(self.text) <= _STRETCH and not self._lead:
            self._whole = len(found)
        return _without_gaps(np.sort(np.asarray(found, dtype=np.int64), kind="stable"), len(self.text))

    def count(self, start: int, end: int) -> int:
        """About how many tokens `text[start:end]` has."""
        first, last = np.searchsorted(self.starts, (start, end))
        return int(last - first) + 1

    def fits(self, start: int, end: int) -> bool:
        """Whether the slice seems to keep within the limit."""
        return self.count(start, end) <= self.limit

    def before(self, end: int, tokens: int) -> int:
        """Where the last `tokens` tokens before `end` begin."""
        index = int(np.searchsorted(self.starts, end)) - tokens
        return int(self.starts[index]) if index >= 0 else 0

    def cut(self, start: int, end: int, tokens: int = 0) -> int:
        """The furthest place in (start, end] with no more than `tokens` (the limit by default), at a word if it can."""
        room = (tokens or self.limit) - 1
        index = int(np.searchsorted(self.starts, start)) + max(room, 1)
        if index >= len(self.starts) or self.starts[index] >= end:
            return end
        place = int(self.starts[index])
        if place <= start:
            index = int(np.searchsorted(self.starts, start, side="right"))
            return min(int(self.starts[index]), end) if index < len(self.starts) else end
        half = start + (place - start) // 2
        blank = max(self.text.rfind(" ", half, place), self.text.rfind("\n", half, place))
        return blank + 1 if blank > start else place

    def hard(self, start: int, end: int, tokens: int = 0) -> Iterator[Offsets]:
        """Consecutive slices within the limit, cut at words, else between tokens."""
        while start < end:
            place = self.cut(start, end, tokens)
            span = trim(self.text, start, place)
            if span[0] < span[1]:
                yield span
            start = place

    def exact(self, start: int, end: int) -> Iterator[Offsets]:
        """The slice itself when it keeps within the limit by the tokeniser's own count, else parts that do.

        Between white space, and with room to spare below the model's limit, the count by bisection is trusted.
        Indentation at the very start is kept.
        """
        if self._known(start, end):
            yield start, end
            return
        begin = start
        while start < end:
            place = self._within(start, end)
            first, last = trim(self.text, start, place)
            if first < last:
                yield (start if start == begin else first), last
            start = place

    def _known(self, start: int, end: int) -> bool:
        text = self.text
        if (start, end) == (0, len(text)) and 0 <= self._whole <= self.limit:
            return True
        apart = (start == 0 or text[start - 1].isspace()) and (end == len(text) or text[end].isspace())
        return self._trusted and apart and self.fits(start, end)

    def input(self, start: int, end: int) -> str:
        """What is embedded for a slice."""
        return self._lead + self.text[start:end]

    def over(self, text: str) -> Tokens:
        """The same tokeniser and limit over another text."""
        return Tokens(text, self._offsets, self._total)

    def head(self) -> str:
        """As much of the whole text as keeps within the limit."""
        return self.text[: self._within(0, len(self.text))].rstrip()

    def _within(self, start: int, end: int) -> int:
        while end - start > 1:
            spans = self._offsets(self.input(start, end))
            if len(spans) <= self._total:
                return end
            reach = max(start + spans[self._total][0] - len(self._lead), start)
            blank = self.text.rfind(" ", start + (reach - start) // 2, reach)
            shorter = blank if blank > start else reach
            end = min(max(shorter, start + 1), end - 1)
        return end

    def windows(self, start: int, end: int) -> tuple[str, ...]:
        """Texts within the limit that stand for a slice of any length.

        Consecutive windows of about equal length; of a text with more than 16, 16 windows evenly spread over it, so
        that the cost of a huge text is bounded. Each is checked with the tokeniser.
        """
        huge = end - start > MAX_WINDOWS * self.limit * _WIDE_WINDOW * 2
        spans = self._spread(start, end) if huge else self._balanced(start, end)
        return tuple(self.input(begin, self._within(begin, stop)).rstrip() for begin, stop in spans)

    def _spread(self, start: int, end: int) -> list[Offsets]:
        width = self.limit * _WIDE_WINDOW
        found = []
        for begin in np.linspace(start, end - width, MAX_WINDOWS).astype(int).tolist():
            blank = self.text.find(" ", begin, begin + width // 2) if begin > start else -1
            span = trim(self.text, max(begin, blank), begin + width)
            if span[0] < span[1]:
                found.append(span)
        return found

    def _balanced(self, start: int, end: int) -> list[Offsets]:
        total = self.count(start, end)
        parts = -(-total // self.limit)
        found = list(self.hard(start, end, min(self.limit, -(-total // parts) + 8)))
        picks = np.linspace(0, len(found) - 1, min(len(found), MAX_WINDOWS)).round().astype(int).tolist()
        return [found[pick] for pick in picks]


def _stretches(text: str) -> Iterator[Offsets]:
    begin = 0
    while begin < len(text):
        end = min(begin + _STRETCH, len(text))
        if end < len(text):
            half = begin + _STRETCH // 2
            blank = max(text.rfind("\n", half, end), text.rfind(" ", half, end))
            end = blank if blank > 0 else end
        yield begin, end
        begin = end


def _without_gaps(starts: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    edges = np.concatenate(([0], starts, [length]))
    wide = np.flatnonzero(np.diff(edges) > _WIDEST)
    if not len(wide):
        return starts
    extra = [np.arange(edges[i] + _WIDEST, edges[i + 1], _WIDEST) for i in wide]
    return np.sort(np.concatenate([starts, *extra]), kind="stable")
