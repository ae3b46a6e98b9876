"""Source code: one segment for each function, class header, method and block, which together cover the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from rag.loaders.cleaning import clean_text
from rag.loaders.encoding import decode_text
from rag.loaders.registry import Format
from rag.loaders.syntax import Boundary, boundaries
from rag.types import Document, Segment

_EXTENSIONS = {
    "python": (".py", ".pyi", ".pyw"),
    "javascript": (".js", ".mjs", ".cjs", ".jsx"),
    "typescript": (".ts", ".mts", ".cts"),
    "tsx": (".tsx",),
    "java": (".java",),
    "go": (".go",),
    "rust": (".rs",),
    "c": (".c", ".h"),
    "cpp": (".cc", ".cpp", ".cxx", ".c++", ".hh", ".hpp", ".hxx", ".ipp"),
}
_GRAMMAR = {extension: grammar for grammar, extensions in _EXTENSIONS.items() for extension in extensions}
_CPP_HEADER = re.compile(r"^[ \t]*(?:class|namespace|template|public:|private:|using)\b", re.MULTILINE)


def load_code(path: Path, name: str) -> Iterator[Document]:
    """Read a file as one document of `code` segments with lines and symbols."""
    text = clean_text(decode_text(path.read_bytes()))
    grammar = _GRAMMAR.get(PurePosixPath(name).suffix.lower(), "c")
    if grammar == "c" and _CPP_HEADER.search(text):
        grammar = "cpp"
    language = "typescript" if grammar == "tsx" else grammar
    yield Document(name, text, "code", segments=tuple(code_segments(text, grammar)), language=language)


def code_segments(text: str, grammar: str) -> Iterator[Segment]:
    """Yield segments that cover a cleaned source, with lines from 1."""
    source = text.encode("utf-8")
    starts = [(_line_start(text, i), symbol) for i, symbol in _in_characters(source, boundaries(source, grammar))]
    line = 1
    counted = 0
    ends = [start for start, _ in starts[1:]] + [len(text)]
    for (start, symbol), end in zip(starts, ends, strict=True):
        body = text[start:end].rstrip()
        start += len(body) - len(body.lstrip("\n"))
        if not body.strip():
            continue
        stop = start + len(body.lstrip("\n"))
        line += text.count("\n", counted, start)
        last = line + text.count("\n", start, stop)
        yield Segment(start, stop, "code", line_start=line, line_end=last, symbol=symbol)
        line, counted = last, stop


def _in_characters(source: bytes, pieces: list[Boundary]) -> Iterator[tuple[int, str]]:
    """Turn byte offsets into character offsets, each with its symbol."""
    offset = byte = 0
    for piece in pieces:
        offset += len(source[byte : piece.byte].decode("utf-8", "ignore"))
        byte = piece.byte
        yield offset, piece.symbol


def _line_start(text: str, offset: int) -> int:
    """Move an offset to the beginning of its line when only indentation is before it."""
    begin = text.rfind("\n", 0, offset) + 1
    return begin if not text[begin:offset].strip() else offset


FORMAT = Format("code", tuple(_GRAMMAR), load_code)
