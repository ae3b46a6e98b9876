"""The model's tokens in a text, located once, and cuts that stay within its limit.

Tokenising is the dearest step of chunking, so a document is tokenised once and every question "does this slice fit?" is
a bisection. A tokeniser looks at its neighbourhood, however: cut out, a slice may have a few tokens more than it had in
its document. So whatever is embedded is counted again where that could matter.
"""

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

_STRETCH = 1 << 16  # characters in one call to the tokeniser
_WIDEST = 64  # characters that one token may stand for: bounds a chunk where tokens or white space are huge
_WIDE_WINDOW = 6  # characters a token taken for a window of a huge text


class Tokens:
    """The tokens of one text, counted slice by slice.

    The text is tokenised once, in stretches cut at white space; slices are counted by bisection. Such a count is exact
    for a slice between white space and can be a little off elsewhere, so `exact` decides on whatever is embedded.

    Args:
        text: Text of a document.
        offsets: The model's tokeniser.
        limit: Most tokens of an embedded text, not counting the prompt and special tokens.
        spare: Tokens by which the model's own limit is above that limit.
        lead: Text put before every embedded slice; cut to a quarter of the limit.

    Attributes:
        limit: Most tokens of a slice, not counting the lead either.
    """

    def __init__(self, text: str, offsets: TokenOffsets, limit: int, spare: int = 0, lead: str = "") -> None:
        self.text = text
        self._offsets = offsets
        self._total = limit
        leading = offsets(lead)[: limit // 4] if lead else []
        self._lead = lead[: leading[-1][1]] + "\n" if leading else ""
        self.limit = limit - len(leading)
        # With this much room below the model's own limit, a count that is a little off loses no text.
        self._trusted = spare >= limit // 8
        self._whole = -1  # exact tokens of the whole text; -1 until they are known

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """First character of every token, ascending; wide gaps between tokens are filled with extra starts."""
        starts: list[int] = []
        for begin, end in _stretches(self.text):
            starts.extend(begin + start for start, _ in self._offsets(self.text[begin:end]))
        if len(self.text) <= _STRETCH and not self._lead:
            self._whole = len(starts)
        return _without_gaps(np.sort(np.asarray(starts, dtype=np.int64), kind="stable"), len(self.text))

    def count(self, start: int, end: int) -> int:
        """Return about how many tokens `text[start:end]` has."""
        first, last = np.searchsorted(self.starts, (start, end))
        return int(last - first) + 1  # one more for a token that the cut splits

    def fits(self, start: int, end: int) -> bool:
        """True when the slice has at most the limit's tokens, by bisection."""
        return self.count(start, end) <= self.limit

    def before(self, end: int, tokens: int) -> int:
        """Return where the last `tokens` tokens before `end` begin."""
        index = int(np.searchsorted(self.starts, end)) - tokens
        return int(self.starts[index]) if index >= 0 else 0

    def cut(self, start: int, end: int, tokens: int = 0) -> int:
        """Return the furthest offset in (start, end] within `tokens` (by default the limit), at a word if it can."""
        room = (tokens or self.limit) - 1
        index = int(np.searchsorted(self.starts, start)) + max(room, 1)
        if index >= len(self.starts) or self.starts[index] >= end:
            return end
        reach = int(self.starts[index])
        if reach <= start:
            # Several tokens share one character, as bytes of an emoji do: go on to the next character.
            index = int(np.searchsorted(self.starts, start, side="right"))
            return min(int(self.starts[index]), end) if index < len(self.starts) else end
        half = start + (reach - start) // 2  # a blank further back would waste more than half of the limit
        blank = max(self.text.rfind(" ", half, reach), self.text.rfind("\n", half, reach))
        return blank + 1 if blank > start else reach

    def hard(self, start: int, end: int, tokens: int = 0) -> Iterator[Offsets]:
        """Yield consecutive slices within the limit, cut at words, else between tokens."""
        while start < end:
            stop = self.cut(start, end, tokens)
            span = trim(self.text, start, stop)
            if span[0] < span[1]:
                yield span
            start = stop

    def exact(self, start: int, end: int) -> Iterator[Offsets]:
        """Yield the slice when it is within the limit by the tokeniser's own count, else parts that are.

        Between white space, and with room to spare below the model's limit, the count by bisection is trusted.
        Indentation at the very start stays.
        """
        if self._surely_fits(start, end):
            yield start, end
            return
        begin = start
        while start < end:
            stop = self._within(start, end)
            first, last = trim(self.text, start, stop)
            if first < last:
                yield (start if start == begin else first), last
            start = stop

    def _surely_fits(self, start: int, end: int) -> bool:
        """True when the slice needs no second count."""
        text = self.text
        if (start, end) == (0, len(text)) and 0 <= self._whole <= self.limit:
            return True
        apart = (start == 0 or text[start - 1].isspace()) and (end == len(text) or text[end].isspace())
        return self._trusted and apart and self.fits(start, end)

    def input(self, start: int, end: int) -> str:
        """Return the text that is embedded for a slice."""
        return self._lead + self.text[start:end]

    def over(self, text: str) -> Tokens:
        """Return the tokens of another text, with the same tokeniser and limit and without a lead."""
        return Tokens(text, self._offsets, self._total)

    def head(self) -> str:
        """Return as much of the beginning of the text as is within the limit."""
        return self.text[: self._within(0, len(self.text))].rstrip()

    def _within(self, start: int, end: int) -> int:
        """Return the furthest offset up to `end` at which the embedded text is within the limit, by a real count."""
        while end - start > 1:
            spans = self._offsets(self.input(start, end))
            if len(spans) <= self._total:
                return end
            reach = max(start + spans[self._total][0] - len(self._lead), start)
            blank = self.text.rfind(" ", start + (reach - start) // 2, reach)
            shorter = blank if blank > start else reach
            end = min(max(shorter, start + 1), end - 1)  # at least one character less: the loop ends
        return end

    def windows(self, start: int, end: int) -> tuple[str, ...]:
        """Return texts within the limit that represent a slice of any length.

        Consecutive windows of about equal length; of a text with more than 16, 16 windows evenly spread over it, so
        that the cost of a huge text is bounded. Each is checked with the tokeniser.
        """
        huge = end - start > MAX_WINDOWS * self.limit * _WIDE_WINDOW * 2
        spans = self._spread(start, end) if huge else self._balanced(start, end)
        return tuple(self.input(begin, self._within(begin, stop)).rstrip() for begin, stop in spans)

    def _spread(self, start: int, end: int) -> list[Offsets]:
        """Place windows evenly, by characters: a huge text is not tokenised as a whole."""
        width = self.limit * _WIDE_WINDOW
        spans = []
        for begin in np.linspace(start, end - width, MAX_WINDOWS).astype(int).tolist():
            blank = self.text.find(" ", begin, begin + width // 2) if begin > start else -1
            span = trim(self.text, max(begin, blank), begin + width)
            if span[0] < span[1]:
                spans.append(span)
        return spans

    def _balanced(self, start: int, end: int) -> list[Offsets]:
        """Cut into windows of about equal length, so that none is a short rest with a full vote in the pooling."""
        total = self.count(start, end)
        parts = -(-total // self.limit)
        spans = list(self.hard(start, end, min(self.limit, -(-total // parts) + 8)))
        picks = np.linspace(0, len(spans) - 1, min(len(spans), MAX_WINDOWS)).round().astype(int).tolist()
        return [spans[pick] for pick in picks]


def _stretches(text: str) -> Iterator[Offsets]:
    """Cut a text at white space into stretches for the tokeniser."""
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
    """Add a start every `_WIDEST` characters in gaps, so that a chunk of blanks or of one huge token is bounded too."""
    edges = np.concatenate(([0], starts, [length]))
    wide = np.flatnonzero(np.diff(edges) > _WIDEST)
    if not len(wide):
        return starts
    extra = [np.arange(edges[i] + _WIDEST, edges[i + 1], _WIDEST) for i in wide]
    return np.sort(np.concatenate([starts, *extra]), kind="stable")
