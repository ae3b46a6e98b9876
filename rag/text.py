"""Words, sentences and paragraphs of a text in any language: pure helpers that several parts share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

Offsets = tuple[int, int]
"""A stretch of a text: its first character, and one past its last."""

_CLOSERS = "\"'”’»)\\]」』）"
_BREAK = re.compile(  # possessive quantifiers (`++`) keep it linear on runs of dots
    rf"(?<![.!?…])[.!?…]++[{_CLOSERS}]*+(?=\s)"  # the end of a sentence in scripts with spaces
    rf"|[。！？｡]++[{_CLOSERS}]*+"  # and in scripts without
    r"|\n[ \t\r]*(?=\n)"  # a blank line
    r"|\n(?=[ \t]*(?:[-*•‣◦▪–]|\d{1,3}[.)])[ \t])"  # the next item of a list
)
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[\"'“])(?:[^\W\d_]|e\.g|i\.e|cf|vs|etc|approx|resp|incl|mr|mrs|ms|dr|prof|st|nr|fig|figs|eq|sec|vol|pp"
    r"|al|inc|ltd|corp|dept|est|z\.b|d\.h|bzw|usw|u\.s|a\.m|p\.m)\.$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"\s*\d{1,3}\.")  # an item of a list begins, no sentence ends
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
_WORD = re.compile(rf"[{_CJK}]+|(?:(?![{_CJK}])\w)+(?:['’](?:(?![{_CJK}])\w)+)*")
_HAS_CJK = re.compile(f"[{_CJK}]")

_STOP_WORDS = """
    a about after again against all also am an and any anybody anyone anything are as at be because been before being
    below between both but by can cannot can't could couldn't did didn't do does doesn't doing don't down during each
    either else ever every few for from further get gets getting give given go goes going got had has have having he her
    here hers him his how how's i if i'm in into is isn't it it's its itself just know let like made make makes many may
    me might more most much must my myself need needs no nor not now of off on once one only or other our ours out over
    own please same shall she should so some someone something such tell than that that's the their theirs them then
    there these they this those through to too under until up upon us use used using very want was wasn't way we well
    were what what's when where where's whether which while who whom whose why will with within without won't would you
    your yours
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
"""English words that say little about a subject, question words among them; lower case."""


def sentences(text: str, start: int = 0, end: int | None = None) -> list[Offsets]:
    """Find the sentences of `text[start:end]`, without the white space around them.

    Blank lines and items of lists end a sentence too; a single line end does not. Linear in the length.

    Returns:
        Offsets into `text`, in order and apart; every character that is not white space is in one of them.
    """
    stop = len(text) if end is None else end
    spans: list[Offsets] = []
    begin = start
    for match in _BREAK.finditer(text, start, stop):
        after = match.end()
        # The dot of `e.g.` or of `2.` ends no sentence; an abbreviation is short, so 12 characters are enough to see.
        if match.group()[0] == "." and (
            _ABBREVIATION.search(text, max(begin, after - 12), after) or _NUMBERED.fullmatch(text, begin, after)
        ):
            continue
        spans.append(trim(text, begin, after))
        begin = after
    spans.append(trim(text, begin, stop))
    return [span for span in spans if span[0] < span[1]]


def trim(text: str, start: int, end: int) -> Offsets:
    """Trim white space at both ends of a stretch; a blank one becomes empty."""
    inner = text[start:end]
    bare = inner.lstrip()
    start += len(inner) - len(bare)
    return start, start + len(bare.rstrip())


def shorten(text: str, limit: int) -> str:
    """Cut a text at a blank to at most `limit` characters, with an ellipsis where text is missing."""
    if len(text) <= limit:
        return text
    blank = text.rfind(" ", limit // 2, limit)
    return text[: blank if blank > 0 else limit - 1].rstrip() + "…"


_SURROGATE = re.compile("[\ud800-\udfff]")
_UNSEEN = "\u115f\u1160\u2800\u3164\uffa0"  # letters and symbols without a mark on the screen


def is_blank(text: str) -> bool:
    """True when nothing of a text can be seen: white space, control and zero-width characters."""
    return not any(char.isprintable() and not char.isspace() and char not in _UNSEEN for char in text)


def well_formed(text: str) -> str:
    """Return a text that can be encoded: lone halves of surrogate pairs become replacement characters."""
    return _SURROGATE.sub("\ufffd", text)


def words(text: str) -> list[str]:
    """List the words in order, case folded; Chinese and Japanese runs, which have no spaces, as pairs of characters."""
    folded: list[str] = []
    for match in _WORD.finditer(text):
        word = match.group().casefold()
        if len(word) > 1 and _HAS_CJK.match(word):
            folded.extend(word[i : i + 2] for i in range(len(word) - 1))
        else:
            folded.append(word.replace("’", "'"))
    return folded


def stems(folded: Iterable[str]) -> list[str]:
    """Stem case-folded words (English Snowball); words of other languages change little, and always alike."""
    import Stemmer  # type: ignore[import-not-found,unused-ignore]

    # A stemmer is not safe to share between threads, and cheap to make.
    return list(Stemmer.Stemmer("english").stemWords([word.removesuffix("'s") for word in folded]))


def content_words(text: str, stop_words: frozenset[str] = STOP_WORDS) -> list[str]:
    """List the stems of all words but stop words, in order, repeated as they are."""
    return content_stems(words(text), stop_words)


def content_stems(folded: Iterable[str], stop_words: frozenset[str] = STOP_WORDS) -> list[str]:
    """List the stems of words that `words` split, without stop words."""
    return stems([word for word in folded if word not in stop_words])


def lines(text: str, start: int, end: int) -> Iterator[Offsets]:
    """Yield the lines of `text[start:end]` that are not blank, without their line ends."""
    while start < end:
        newline = text.find("\n", start, end)
        stop = end if newline < 0 else newline
        if text[start:stop].strip():
            yield start, stop
        start = stop + 1


def pieces(text: str, by_line: bool, longest: int = 400) -> list[str]:
    """Split a text into sentences, or into lines, of at most `longest` characters each.

    A longer sentence gives its lines, and a longer line is cut.
    """
    spans = list(lines(text, 0, len(text))) if by_line else sentences(text)
    split: list[str] = []
    for start, end in spans:
        if end - start <= longest:
            split.append(text[start:end])
        else:
            split += [shorten(text[begin:stop].strip(), longest) for begin, stop in lines(text, start, end)]
    return split


_BLANK_LINE = re.compile(r"\n[ \t\r\f\v]*\n\s*")


def paragraphs(text: str, start: int, end: int) -> Iterator[Offsets]:
    """Yield the stretches between blank lines, trimmed."""
    begin = start
    for after, following in [*(match.span() for match in _BLANK_LINE.finditer(text, start, end)), (end, end)]:
        span = trim(text, begin, after)
        if span[0] < span[1]:
            yield span
        begin = following
