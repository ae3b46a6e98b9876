"""Broken, hostile and oddly encoded files, put through the product's parser processes."""

from __future__ import annotations

import io
import random
import tempfile
import time
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.pdf_files import Sheets
from bench.trust.sentences import SENTENCES, UNICODE
from bench.trust.spec import Figure, Row
from rag.errors import UnreadableFileError
from rag.loaders import LoaderPool

_SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "badfiles"
_LIMIT, _MEMORY_MB, _WORKERS = 20.0, 1024, 2
_GRACE = 10.0
_LENGTHS = (20, 60, 200, 2000, 20_000)
_TEXT_ENDINGS = (".txt", ".md", ".csv", ".html", ".jsonl", ".py", "")
_ENGLISH = "The device is switched on with the key at its side. It needs a minute until the lamp turns green."


@dataclass(frozen=True, slots=True)
class _Case:
    """A file to read: its name, its bytes, and the text that must come out if any does; None when anything may."""

    name: str
    content: bytes
    text: str | None = None


def _measure(full: bool) -> Figure:
    cases = [*_shared(full), *_generated(10_000 if full else 300)]
    outcomes: Counter[str] = Counter()
    wrong: list[str] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        LoaderPool(_WORKERS, _LIMIT, _MEMORY_MB) as loaders,
        ThreadPoolExecutor(_WORKERS) as threads,
    ):

        def attempt(numbered: tuple[int, _Case]) -> tuple[str, str]:
            number, case = numbered
            path = Path(folder) / f"{number}"
            path.write_bytes(case.content)
            try:
                return case.name, _outcome(loaders, path, case)
            finally:
                path.unlink()

        for name, outcome in threads.map(attempt, enumerate(cases)):
            outcomes[outcome] += 1
            if outcome.isupper():
                wrong.append(f"{outcome} {name}")
    shared = "" if _SHARED.is_dir() else ", the folder of foreign files is not here"
    kinds = ", ".join(f"{count} {kind}" for kind, count in outcomes.most_common() if not kind.isupper())
    bad = ", ".join(f"{outcomes[kind]} {word}" for kind, word in _WRONG.items())
    examples = f" ({'; '.join(wrong[:3])})" if wrong else ""
    return Figure(f"{len(cases):,} files{shared}: {bad}{examples}; {kinds}", not wrong)


_WRONG = {"CRASH": "crashes", "HANG": "hangs", "UNSAID": "without a reason", "MOJIBAKE": "stored as gibberish"}


def _outcome(loaders: LoaderPool, path: Path, case: _Case) -> str:
    """Return `read`, the kind of refusal, or in capitals what must not happen."""
    began = time.monotonic()
    try:
        text = "\n".join(document.text for document in loaders.documents(path, case.name))
        outcome = "read" if case.text is None or _letters(case.text) == _letters(text) else "MOJIBAKE"
    except UnreadableFileError as error:
        outcome = type(error).__name__ if len(str(error)) > 20 else "UNSAID"
    except Exception:  # noqa: BLE001 - any other error would have stopped the app's own thread
        outcome = "CRASH"
    return outcome if time.monotonic() - began < _LIMIT + _GRACE else "HANG"


def _letters(text: str) -> str:
    """Return letters and digits alone: readers move white space and signs, and leave the rest as it is."""
    normal = unicodedata.normalize("NFC", text)
    return "".join(char for char in normal if unicodedata.category(char)[0] in "LMNS")


def _shared(full: bool) -> Iterator[_Case]:
    paths = sorted(_SHARED.iterdir()) if _SHARED.is_dir() else []
    for path in paths if full else paths[::2]:
        if path.suffix != ".tsv":
            yield _Case(path.name, path.read_bytes())


def _generated(count: int) -> Iterator[_Case]:
    """Yield texts in all encodings and broken files, as many of the one as of the other."""
    makers = _valid_files()
    for number in range(count):
        choose = random.Random(number)
        yield _encoded(choose) if number % 2 else _mutated(choose, makers)


def _encoded(choose: random.Random) -> _Case:
    language = choose.choice(list(SENTENCES))
    legacy, sentences = SENTENCES[language]
    codec = choose.choice((*legacy, *legacy, *UNICODE[: 1 + len(legacy)]))
    length, text = choose.choice(_LENGTHS), ""
    while len(text) < length:
        text += choose.choice(sentences) + "\n\n"
    text = text[:length]
    content = text.encode(codec, "ignore")
    return _Case(f"{language}-{codec}-{length}.txt", content, content.decode(codec))


def _mutated(choose: random.Random, makers: dict[str, bytes]) -> _Case:
    kind = choose.choice([*makers, "noise"])
    if kind == "noise":
        return _Case(f"noise{choose.choice(_TEXT_ENDINGS)}", choose.randbytes(choose.choice((50, 500, 5000))))
    content = bytearray(makers[kind])
    for _ in range(choose.choice((1, 2, 5, 20))):
        choose.choice(_MUTATIONS)(choose, content)
    return _Case(f"spoilt{kind}", bytes(content))


def _flip(choose: random.Random, content: bytearray) -> None:
    if content:
        content[choose.randrange(len(content))] = choose.randrange(256)


def _truncate(choose: random.Random, content: bytearray) -> None:
    del content[choose.randrange(len(content) // 2, len(content) + 1) :]


def _repeat(choose: random.Random, content: bytearray) -> None:
    start = choose.randrange(len(content) + 1)
    content[start:start] = content[start : start + choose.randrange(1, 500)] * choose.choice((1, 3, 50))


def _remove(choose: random.Random, content: bytearray) -> None:
    start = choose.randrange(len(content) + 1)
    del content[start : start + choose.randrange(1, 200)]


def _insert(choose: random.Random, content: bytearray) -> None:
    start = choose.randrange(len(content) + 1)
    content[start:start] = choose.choice((b"\x00" * 9, b"99999999999", b"<" * 500, b'"', b"[" * 2000, b"\xff\xfe"))


_MUTATIONS: tuple[Callable[[random.Random, bytearray], None], ...] = (
    _flip,
    _flip,
    _truncate,
    _repeat,
    _remove,
    _insert,
)


def _valid_files() -> dict[str, bytes]:
    """Return a sound file of each format by its extension."""
    rows = "\n".join(f'{number},"{_ENGLISH}",{number * 7}' for number in range(9))
    page = f"<html><head><title>T</title></head><body><h1>T</h1><p>{_ENGLISH}</p><ul><li>one<li>two</ul></body></html>"
    return {
        ".pdf": _pdf(composite=False),
        ".PDF": _pdf(composite=True),
        ".docx": _docx(),
        ".html": page.encode(),
        ".csv": f"number,words,sum\n{rows}".encode(),
        ".jsonl": "".join(f'{{"_id": "{number}", "text": "{_ENGLISH}"}}\n' for number in range(9)).encode(),
        ".zip": _zip(),
        ".xml": f'<?xml version="1.0"?><r><a>{_ENGLISH}</a></r>'.encode(),
    }


def _pdf(composite: bool) -> bytes:
    pages = Sheets(composite)
    for _ in range(3):
        pages.heading("A heading", 20)
        pages.paragraph(_ENGLISH * 5)
    return pages.file("Title")


def _docx() -> bytes:
    import docx

    document: Any = docx.Document()
    document.add_heading("A heading", 1)
    document.add_paragraph(_ENGLISH)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../outside.txt", _ENGLISH)
        archive.writestr("inside.txt", bytes(1_000_000))
    return stream.getvalue()


ROW = Row(
    name="files",
    promise="A bad file fails alone and says why; text in any encoding is read right or refused, never as gibberish.",
    kept="Parser processes with limits on time and memory; encodings are told by how probable the words are under a "
    "vocabulary of a hundred languages, and what is not certain is refused; fonts without letters are refused.",
    tests=(
        "tests/loaders/test_badfiles.py",
        "tests/loaders/test_binary.py",
        "tests/loaders/test_encoding.py",
        "tests/loaders/test_pdf.py",
        "tests/loaders/test_pool.py",
    ),
    target="0 crashes, 0 hangs over the limit, every file text or a specific reason, 0 stored as gibberish",
    measure=_measure,
)
