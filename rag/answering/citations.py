"""Citation marks: one spelling, none that names nothing, and never half a mark on the screen."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.types import Answer, Citation, Hit

NO_ANSWER = "The sources do not answer this question."
"""The sentence of every answerer, word for word, when nothing in the hits answers."""

_LONGEST = 48
_INNER = r"[\d^,;&†\w \t–-]"
_NUMBERS = r"\^?\d{1,20}(?:[ \t]*(?:,|;|&|and|–|-)[ \t]*\^?\d{1,20})*"
_MARK = rf"[\[【](?=[^\]】]{{1,{_LONGEST}}}[\]】])(?:[Ss]ources?:?[ \t]*)?(?P<numbers>{_NUMBERS})(?:†\w*)?[\]】]"
_TOKEN = re.compile(rf"`+|~{{3,}}|\n|{_MARK}")
_OPEN = re.compile(rf"[\[【]{_INNER}{{0,{_LONGEST}}}\Z")
_SPAN = re.compile(r"(\d+)[ \t]*[–-][ \t]*\^?(\d+)")
_WIDEST_RANGE = 20


class CitationFilter:
    """A cleaner of the marks of an answer while it streams.

    `[1, 2]`, `[1-3]`, `[^1]`, `[Source 1]`, `【1†source】` become `[1][2]`, ... Marks that name no hit are taken out,
    with the blanks before them. Code spans and fences are left as they are. However the text is cut into pieces, the
    same text comes out, and no piece ends inside a mark.

    Args:
        hits: How many hits there are; marks run from 1 to that.

    Attributes:
        removed: Numbers taken out so far.
        used: Numbers kept, in order of first use.
    """

    def __init__(self, hits: int) -> None:
        self.removed = 0
        self.used: list[int] = []
        self._hits = hits
        self._pending = ""
        self._fence = ""  # the run of backticks or tildes that opened the code at this point
        self._tail = ""  # the end of the text returned so far
        self._dropped = False  # true right after a mark was taken out

    def feed(self, piece: str) -> str:
        """Return the text that can be shown after another piece has come; may be empty."""
        self._pending += piece
        hold = _held_from(self._pending)
        ready, self._pending = self._pending[:hold], self._pending[hold:]
        return self._clean(ready)

    def close(self) -> str:
        """Return the rest, when no more pieces come."""
        ready, self._pending = self._pending, ""
        return self._clean(ready)

    def _clean(self, text: str) -> str:
        out: list[str] = []
        copied = 0
        for match in _TOKEN.finditer(text):
            self._put(out, text[copied : match.start()])
            copied = match.end()
            if match["numbers"] is None or self._fence:
                self._toggle(match.group())
                self._put(out, match.group())
            elif valid := self._valid(match["numbers"]):
                self._put(out, "".join(f"[{number}]" for number in valid))
            else:
                self._drop(out)
        self._put(out, text[copied:])
        cleaned = "".join(out)
        self._tail = (self._tail + cleaned)[-_LONGEST - 1 :]
        return cleaned

    def _put(self, out: list[str], text: str) -> None:
        if text:
            out.append(" " + text if self._dropped and text[0] in "`~" else text)
            self._dropped = False

    def _drop(self, out: list[str]) -> None:
        """Leave a mark out so that what stands around it does not join into a new mark or fence."""
        self._dropped = True
        if out:
            out[-1] = out[-1].rstrip(" \t")
        if _OPEN.search(self._tail + "".join(out[-4:])):
            out.append(".")

    def _toggle(self, run: str) -> None:
        if run == "\n":
            self._fence = self._fence if len(self._fence) > 2 else ""
        elif run[0] not in "`~":
            return
        elif not self._fence:
            self._fence = run
        elif run[0] == self._fence[0] and (run == self._fence or len(run) > len(self._fence) > 2):
            self._fence = ""

    def _valid(self, numbers: str) -> list[int]:
        valid: list[int] = []
        for number in _listed(numbers):
            if not 1 <= number <= self._hits:
                self.removed += 1
            elif number not in valid:
                valid.append(number)
        self.used.extend(number for number in valid if number not in self.used)
        return valid


def _listed(numbers: str) -> list[int]:
    span = _SPAN.fullmatch(numbers.lstrip("^"))
    if span and 0 <= int(span[2]) - int(span[1]) <= _WIDEST_RANGE:
        return list(range(int(span[1]), int(span[2]) + 1))
    return [int(number) for number in re.findall(r"\d+", numbers)]


def _held_from(text: str) -> int:
    """Offset from which the text is held back: it may still become a mark, a fence, or blanks before a mark."""
    near = max(len(text) - _LONGEST - 1, 0)
    opened = _OPEN.search(text, near)
    end = opened.start() if opened else len(text)
    blank = len(text[:end].rstrip(" \t"))
    if blank < end or opened:
        return blank
    return len(text.rstrip("`")) if text.endswith("`") else len(text.rstrip("~"))


def cite(text: str, hits: Sequence[Hit]) -> Answer:
    """Return the finished answer: marks cleaned as `CitationFilter` does, one citation a hit in order of first use.

    It counts as not answered when it is blank, or says `NO_ANSWER` first, or says it and cites nothing.
    """
    marks = CitationFilter(len(hits))
    cleaned = marks.feed(text) + marks.close()
    line = " ".join(cleaned.split())
    refused = line.startswith(NO_ANSWER) or (NO_ANSWER in line and not marks.used)
    return Answer(
        text=cleaned,
        citations=tuple(Citation(number, hits[number - 1]) for number in marks.used),
        answered=bool(line) and not refused,
        removed_citations=marks.removed,
    )


def quoted(text: str) -> str:
    """Return a text to quote in an answer, on one line.

    Nothing in it can be taken for a mark, or hide the mark after it.
    """
    line = " ".join(text.split())
    if re.search(r"``|~{3}", line) or line.count("`") % 2:
        line = line.replace("`", "'").replace("~~~", "~ ~ ~")
    parts = line.split("`")  # every second part is code
    parts[::2] = [re.sub(_MARK, lambda match: f"({match.group()[1:-1]})", part) for part in parts[::2]]
    return "`".join(parts)
