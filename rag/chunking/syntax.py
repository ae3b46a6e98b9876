"""Code: functions, classes and blocks; long ones near statement borders, never inside a line that fits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.chunking.structure import pack_sections
from rag.chunking.tokens import Tokens
from rag.text import Offsets, lines
from rag.types import Segment, Span

_TYPE = re.compile(
    r"\s*(?:[a-z]+(?:\([a-z]+\))?\s+)*(?:class|struct|interface|trait|impl|enum|object|module|namespace)\b"
)
_NAME = re.compile(r"\b(?:def|func|function|fn|class|struct|interface|enum)\s+(?:\([^)\n]*\)\s*)?(\w+)|(\w+)\s*\(")
_ABOVE = ("@", "#", "//", "/*", "*", "--", "template")  # decorators and comments belong to what follows
_CLOSES = (")", "]", "}", "end", "else", "elif", "except", "finally", "catch", "case")
_DEEPEST = 6


def split_code(blocks: Sequence[Segment], tokens: Tokens) -> Iterator[Span]:
    """Yield one span a function, class or block of code; module-level neighbours without a symbol are merged.

    A class over the limit is cut into its methods, a function over the limit near the borders of its statements.
    """
    i = 0
    while i < len(blocks):
        after = i + 1
        while after < len(blocks) and _goes_with(blocks[i], blocks[after]):
            after += 1
        # A class that does not fit as a whole is taken apart: its header alone, then each method by itself.
        if blocks[i].symbol and not tokens.fits(blocks[i].start, blocks[after - 1].end):
            after = i + 1
        yield from _merged(blocks[i:after], tokens)
        i = after


def _goes_with(first: Segment, block: Segment) -> bool:
    """True when two blocks belong to one definition, or both to none."""
    if not first.symbol:
        return not block.symbol
    return block.symbol == first.symbol or block.symbol.startswith(first.symbol + ".")


def _merged(blocks: Sequence[Segment], tokens: Tokens) -> Iterator[Span]:
    """Merge neighbours as far as the limit allows."""
    first = 0
    for i in range(1, len(blocks)):
        if not tokens.fits(blocks[first].start, blocks[i].end):
            yield from _cut(tokens, blocks[first:i])
            first = i
    yield from _cut(tokens, blocks[first:])


def split_mixed(blocks: Sequence[Segment], tokens: Tokens, overlap: int = 0) -> Iterator[Span]:
    """Yield each code block of prose and notebooks with the heading right above it; other text by structure."""
    prose: list[Segment] = []
    for block in blocks:
        if block.kind != "code":
            prose.append(block)
            continue
        above = len(prose)
        while above and prose[above - 1].kind == "heading":
            above -= 1
        yield from pack_sections(prose[:above], tokens, overlap)
        yield from _cut(tokens, [*prose[above:], block])
        prose = []
    yield from pack_sections(prose, tokens, overlap)


def split_row(start: int, end: int, tokens: Tokens) -> Iterator[Span]:
    """Yield the whole text of a row as one piece of code, cut only when it is too long."""
    yield from _cut(tokens, [Segment(start, end, "code")])


def _cut(tokens: Tokens, blocks: Sequence[Segment]) -> Iterator[Span]:
    """Yield consecutive blocks as one span, or as several that name the members they hold."""
    start, end, symbol, headings = blocks[0].start, blocks[-1].end, blocks[0].symbol, blocks[-1].headings
    if tokens.fits(start, end):
        yield Span(start, end, headings, symbol, keep_indent=True)
        return
    is_type = _is_type(tokens.text, start, end)
    for begin, stop in _split(tokens, start, end, _DEEPEST):
        name = _member(tokens.text, begin, stop, symbol) if is_type and begin > start else symbol
        yield Span(begin, stop, headings, name, keep_indent=True)


def _split(tokens: Tokens, start: int, end: int, depth: int) -> Iterator[Offsets]:
    """Cut a stretch of code into statements and merge them up to the limit; `depth` bounds the nesting."""
    text = tokens.text
    if tokens.fits(start, end):
        yield start, end
        return
    groups = _groups(text, start, end) if depth else []
    if len(groups) < 2:
        groups = list(lines(text, start, end))
    is_type = _is_type(text, start, end)
    begin, stop = groups[0]
    method = False
    for group in groups[1:]:
        # In a class, a member of several lines is a method: it is never merged with its neighbours.
        alone = is_type and "\n" in text[slice(*group)]
        if not (method or alone) and tokens.fits(begin, group[1]):
            stop = group[1]
            continue
        yield from _shrink(tokens, begin, stop, depth)
        (begin, stop), method = group, alone
    yield from _shrink(tokens, begin, stop, depth)


def _shrink(tokens: Tokens, start: int, end: int, depth: int) -> Iterator[Offsets]:
    """Cut a group of statements further: into its inner statements, and a single line between tokens."""
    if tokens.fits(start, end):
        yield start, end
    elif depth and "\n" in tokens.text[start:end]:
        yield from _split(tokens, start, end, depth - 1)
    else:
        yield from tokens.hard(start, end)


def _groups(text: str, start: int, end: int) -> list[Offsets]:
    """Return the statements at the least indentation below the first line, each with the lines inside it.

    Works on indentation alone, so that any language will do, also one whose syntax tree is broken.
    """
    spans = list(lines(text, start, end))
    indents = [len(line) - len(line.lstrip()) for line in (text[a:b] for a, b in spans)]
    # `}` and `else:` stand at the indentation of a statement and belong to the one before.
    inner = [i for i in range(1, len(spans)) if not text[slice(*spans[i])].lstrip().startswith(_CLOSES)]
    if not inner:
        return []
    least = min(indents[i] for i in inner)
    heads = [0]
    above = False  # True when the line before is a decorator or comment, which the statement starts with
    for i in inner:
        if indents[i] > least:
            continue
        if not above:
            heads.append(i)
        above = text[slice(*spans[i])].lstrip().startswith(_ABOVE)
    return [(spans[a][0], spans[b - 1][1]) for a, b in zip(heads, [*heads[1:], len(spans)], strict=True)]


def _is_type(text: str, start: int, end: int) -> bool:
    """True when the first line below comments and decorators defines a class or a similar type."""
    for a, b in lines(text, start, end):
        if not text[a:b].lstrip().startswith(_ABOVE):
            return bool(_TYPE.match(text[a:b]))
    return False


def _member(text: str, start: int, end: int, owner: str) -> str:
    """Return `owner.name` for the member that a part of a class begins with, else `owner`."""
    for a, b in lines(text, start, end):
        if not text[a:b].lstrip().startswith(_ABOVE):
            match = _NAME.search(text, a, b)
            name = (match.group(1) or match.group(2)) if match else ""
            return ".".join(filter(None, (owner, name)))
    return owner
