"""Prose by structure: sections, then paragraphs, then sentences, then words, then tokens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rag.chunking.tokens import Tokens
from rag.text import Offsets, lines, paragraphs, sentences
from rag.types import Segment, Span

_STICKY = frozenset({"heading", "question"})  # belong to the block after them
_LINED = frozenset({"table", "row", "code"})  # cut at line ends before anything else


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int
    end: int
    headings: tuple[str, ...]
    sticky: bool = False
    prose: bool = False


def pack_sections(blocks: Sequence[Segment], tokens: Tokens, overlap: int = 0) -> Iterator[Span]:
    """Yield spans that never cross a section.

    Small neighbours of a section are merged up to the limit. A block that fits is not cut, a longer one is cut at
    sentence or line ends, then words, then tokens. A heading or a question stays with the block after it.

    Args:
        blocks: Blocks of a document, in order.
        tokens: Its tokens, and the limit.
        overlap: Most tokens that neighbouring chunks of a section share, in whole sentences.
    """
    for section in _sections(blocks):
        yield from _pack(_pieces(section, tokens), tokens, overlap)


def pack_paragraphs(blocks: Sequence[Segment], tokens: Tokens) -> Iterator[Span]:
    """Yield every block alone with the headings right above it; long ones are cut as in `pack_sections`."""
    group: list[Segment] = []
    for block in blocks:
        group.append(block)
        if block.kind not in _STICKY:
            yield from _pack(_pieces(group, tokens), tokens, 0)
            group = []
    if group:
        yield from _pack(_pieces(group, tokens), tokens, 0)


def _sections(blocks: Sequence[Segment]) -> Iterator[list[Segment]]:
    """Group blocks: the headings of a section, then its body, up to the next heading or other headings above."""
    section: list[Segment] = []
    body: tuple[str, ...] | None = None  # headings above the section's body, None until the body begins
    for block in blocks:
        heading = block.kind == "heading"
        if body is not None and (heading or block.headings != body):
            yield section
            section, body = [], None
        section.append(block)
        if not heading:
            body = block.headings
    if section:
        yield section


def _pieces(section: Sequence[Segment], tokens: Tokens) -> list[_Piece]:
    """Cut the blocks of a section into pieces that may be packed together, none over the limit."""
    pieces: list[_Piece] = []
    anchor: int | None = None  # first character of the headings before this block
    for block in section:
        sticky = block.kind in _STICKY
        start = block.start if anchor is None else anchor
        prose = block.kind not in _LINED and not sticky
        if tokens.fits(start, block.end):
            pieces.append(_Piece(block.start, block.end, block.headings, sticky, prose))
        else:
            pieces.extend(_Piece(*span, block.headings, sticky, prose) for span in _atoms(block, tokens))
        anchor = start if sticky else None
    return pieces


def _atoms(block: Segment, tokens: Tokens) -> Iterator[Offsets]:
    """Cut a block into lines or sentences; one over the limit into parts of a quarter of it."""
    text = tokens.text
    if block.kind in _LINED:
        spans: Iterable[Offsets] = lines(text, block.start, block.end)
    else:
        spans = (s for begin, end in paragraphs(text, block.start, block.end) for s in sentences(text, begin, end))
    for start, end in spans:
        if tokens.fits(start, end):
            yield start, end
        else:  # quarters, so that the first ones still fill up the chunk before
            yield from tokens.hard(start, end, max(tokens.limit // 4, 2))


def _pack(pieces: Sequence[_Piece], tokens: Tokens, overlap: int) -> Iterator[Span]:
    """Merge pieces in order, each span as long as the limit allows."""
    first, begin = 0, pieces[0].start
    for i in range(1, len(pieces)):
        if i <= first or tokens.fits(begin, pieces[i].end):
            continue
        last = i
        # A heading at the end would be cut off from its text: it moves on to the next span.
        while last - 1 > first and pieces[last - 1].sticky:
            last -= 1
        yield _span(pieces[first:last], begin)
        begin = _overlapped(pieces[last - 1], pieces[last], tokens, begin, overlap)
        first = last
    yield _span(pieces[first:], begin)


def _span(pieces: Sequence[_Piece], begin: int) -> Span:
    body = next((piece for piece in pieces if not piece.sticky), pieces[0])
    return Span(begin, pieces[-1].end, body.headings)


def _overlapped(piece: _Piece, following: _Piece, tokens: Tokens, begin: int, overlap: int) -> int:
    """Return where the next span begins: at the first of the last sentences that fit into the overlap.

    It never begins before `begin`, where the previous span did, and it leaves room for the piece that follows.
    """
    if not overlap or not piece.prose or not following.prose:
        return following.start
    reach = max(tokens.before(piece.end, overlap + 1), begin)
    for start, _ in sentences(tokens.text, reach, piece.end)[1:]:
        if tokens.fits(start, following.end):
            return start
    return following.start
