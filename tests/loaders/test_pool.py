"""Separate processes: what they give, and that a hang or a crash costs one file."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rag.errors import (
    CancelledError,
    EncryptedFileError,
    FileTooLargeError,
    ParserLimitError,
    UnreadableFileError,
    UnsupportedFileError,
)
from rag.loaders import LoaderPool, load, pool, process, wire
from rag.settings import Settings
from tests.loaders.build import docx, encrypted_pdf, pdf
from tests.loaders.check import check


@pytest.fixture
def loaders() -> Iterator[LoaderPool]:
    with LoaderPool(workers=2, timeout=20, memory_mb=1024) as opened:
        yield opened


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


FILES = {
    "a.pdf": pdf(["# Head\nA page, “quoted”.", "Another."]),
    "a.docx": docx([("h1", "Head"), ("p", "words \u2028 and more")]),
    "a.html": "<title>T</title><h1>H</h1><p>日本</p>".encode(),
    "a.md": b"# Head\n\ntext\n\n- item",
    "a.py": b"def f():\n    pass\n",
    "a.json": b'[{"_id": "1", "text": "one"}, {"_id": "2", "text": "two"}]',
    "a.jsonl": b'{"_id": "1", "text": "one"}\n{"_id": "2", "text": "two"}',
    "a.txt": b"words",
}


def test_a_process_gives_what_this_process_gives(loaders: LoaderPool, tmp_path: Path) -> None:
    for name, content in FILES.items():
        path = written(tmp_path / name, content)
        assert list(loaders.documents(path, name)) == list(load(path, name)), name


def test_errors_keep_their_kind_and_reason(loaders: LoaderPool, tmp_path: Path) -> None:
    path = written(tmp_path / "a.pdf", encrypted_pdf(["words"]))
    with pytest.raises(EncryptedFileError, match="needs a password"):
        list(loaders.documents(path, "a.pdf"))
    path = written(tmp_path / "a.png", b"\x89PNG\r\n\x1a\n" + bytes(99))
    with pytest.raises(UnsupportedFileError, match="PNG"):
        list(loaders.documents(path, "a.png"))


def test_many_threads_share_the_processes(loaders: LoaderPool, tmp_path: Path) -> None:
    paths = [written(tmp_path / f"{number}.pdf", pdf([f"page of {number}"])) for number in range(24)]
    with ThreadPoolExecutor(8) as threads:
        read = threads.map(lambda path: [d.text for d in loaders.documents(path, path.name)], paths)
        assert list(read) == [[f"page of {number}"] for number in range(24)]


HANG = "import time\ntime.sleep(60)"
BUSY = "while True: pass"
EAT = "x = [bytes(50_000_000) for _ in range(1000)]"
CRASH = "import os\nos.abort()"
ERROR = "raise AttributeError('of a parser')"
CHATTER = "print('words on standard output')\nimport os\nos.write(1, b'{}\\n')"


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the package whose PDF loader runs the file as Python."""
    import shutil

    root = tmp_path / "copy"
    shutil.copytree(process._ROOT / "rag", root / "rag", ignore=shutil.ignore_patterns("__pycache__"))
    reader = root / "rag" / "loaders" / "readers" / "pdf.py"
    body = (
        "def load_pdf(path, name):\n    exec(path.read_bytes().partition(b'\\n')[2])\n"
        "    yield text_document(name, 'words')\n"
    )
    source = reader.read_text()
    start, end = source.index("def load_pdf"), source.index("def _lines")
    reader.write_text(
        source[:start].replace("import re\n", "import re\nfrom rag.loaders.plain_text import text_document\n")
        + body
        + "\n\n"
        + source[end:]
    )
    monkeypatch.setattr(process, "_ROOT", root)
    return root


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (HANG, "longer than 1 seconds.*RAG_PARSE_TIMEOUT"),
        (BUSY, "longer than 1 seconds.*RAG_PARSE_TIMEOUT"),
        (EAT, "memory.*RAG_PARSE_MEMORY_MB"),
        (CRASH, "stopped with code -6"),
        (ERROR, "failed with AttributeError"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="limits of memory are POSIX")
def test_a_hostile_file_costs_itself_only(code: str, words: str, hostile: Path, tmp_path: Path) -> None:
    bad = written(tmp_path / "bad.pdf", f"%PDF-\n{code}".encode())
    good = written(tmp_path / "good.pdf", b"%PDF-\npass")
    with LoaderPool(1, timeout=1, memory_mb=512) as loaders:
        before = time.monotonic()
        with pytest.raises(UnreadableFileError, match=words) as caught:
            list(loaders.documents(bad, "bad.pdf"))
        assert time.monotonic() - before < 10
        assert isinstance(caught.value, ParserLimitError) == (code != ERROR)
        assert [document.text for document in loaders.documents(good, "good.pdf")] == ["words"]


def test_what_a_parser_prints_is_not_taken_for_an_answer(hostile: Path, tmp_path: Path) -> None:
    chatty = written(tmp_path / "a.pdf", f"%PDF-\n{CHATTER}".encode())
    with LoaderPool(1, timeout=20) as loaders:
        assert [document.text for document in loaders.documents(chatty, "a.pdf")] == ["words"]


@pytest.mark.skipif(sys.platform == "win32", reason="limits of time in the process itself are POSIX")
def test_a_busy_process_that_nobody_watches_ends_itself(hostile: Path, tmp_path: Path) -> None:
    bad = written(tmp_path / "bad.pdf", f"%PDF-\n{BUSY}".encode())
    request = {"path": str(bad), "name": "bad.pdf", "max_bytes": 10**6, "seconds": -1.5}  # and two seconds of grace
    command = [sys.executable, "-P", "-m", "rag.loaders.worker", "512"]
    ended = subprocess.run(
        command,
        input=json.dumps(request).encode() + b"\n",
        stdout=subprocess.DEVNULL,
        env={"PYTHONPATH": str(hostile)},
        timeout=20,
    )
    assert ended.returncode == -signal.SIGPROF


def test_the_time_a_reader_takes_is_not_the_parser_s(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", FILES["a.json"])
    with LoaderPool(1, timeout=1) as loaders:
        texts = []
        for document in loaders.documents(path, "a.json"):
            texts.append(document.text)
            time.sleep(0.7)
    assert texts == ["one", "two"]


def test_a_process_is_kept_after_a_file_and_dropped_when_left_midway(loaders: LoaderPool, tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", FILES["a.json"])
    list(loaders.documents(path, "a.json"))
    (idle,) = loaders._idle
    list(loaders.documents(path, "a.json"))
    assert loaders._idle == [idle]
    with pytest.raises(UnsupportedFileError):
        list(loaders.documents(written(tmp_path / "a.zip", b"PK\x05\x06" + bytes(18)), "a.zip"))
    assert loaders._idle == [idle]
    documents = loaders.documents(path, "a.json")
    next(documents)
    documents.close()
    assert loaders._idle == []
    assert not idle.is_alive()


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_a_process_killed_while_idle_is_replaced(loaders: LoaderPool, tmp_path: Path) -> None:
    path = written(tmp_path / "a.md", b"text")
    list(loaders.documents(path, "a.md"))
    os.kill(loaders._idle[0]._process.pid, signal.SIGKILL)
    loaders._idle[0]._process.wait()
    assert [document.text for document in loaders.documents(path, "a.md")] == ["text"]


def test_closing_ends_every_process_and_thread(tmp_path: Path) -> None:
    path = written(tmp_path / "a.md", b"text")
    loaders = LoaderPool.from_settings(Settings(parse_timeout=5, parse_memory_mb=512, max_file_mb=1), workers=2)
    list(loaders.documents(path, "a.md"))
    (idle,) = loaders._idle
    loaders.close()
    assert not idle.is_alive()
    timers = [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    for timer in timers:
        timer.join(5)
    assert not [timer for timer in timers if timer.is_alive()]


def test_every_format_is_parsed_in_a_process(loaders: LoaderPool, tmp_path: Path) -> None:
    for name in ("a.txt", "a.jsonl", "a.csv"):
        content = FILES.get(name, b"name,price\nCable,3\nPlug,1\n")
        assert all(check(d) for d in loaders.documents(written(tmp_path / name, content), name))
        assert len(loaders._idle) == 1


@pytest.mark.parametrize("code", [HANG, BUSY])
def test_a_parser_that_is_not_wanted_any_more_ends_at_once(code: str, hostile: Path, tmp_path: Path) -> None:
    bad = written(tmp_path / "bad.pdf", f"%PDF-\n{code}".encode())
    stop = threading.Event()
    with LoaderPool(1, timeout=500) as loaders:
        threading.Timer(0.3, stop.set).start()
        with pytest.raises(CancelledError):
            list(loaders.documents(bad, "bad.pdf", stop))
        assert loaders._idle == []


def test_who_waits_for_a_process_can_stop_waiting(loaders: LoaderPool, tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", FILES["a.json"])
    stop = threading.Event()
    with LoaderPool(1, timeout=500) as single:
        first = single.documents(path, "a.json")
        next(first)
        stop.set()
        with pytest.raises(CancelledError):
            next(single.documents(path, "a.json", stop))
        first.close()


@pytest.mark.parametrize(
    ("limit", "value", "words"),
    [
        ("MAX_DOCUMENTS", 1, "more than 1 documents"),
        ("MAX_OUTPUT", 0, "becomes more than"),
        ("MAX_LINE", 20, "One document of it"),
    ],
)
def test_what_a_file_becomes_is_limited(
    limit: str, value: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool if limit == "MAX_OUTPUT" else process, limit, value)
    monkeypatch.setattr(pool, "MAX_GROWTH", 0)
    path = written(tmp_path / "a.jsonl", FILES["a.jsonl"])
    with LoaderPool(1, timeout=20) as loaders, pytest.raises(FileTooLargeError, match=words):
        list(loaders.documents(path, "a.jsonl"))


@pytest.mark.parametrize("limit", ["MAX_CHARS", "MAX_SEGMENTS"])
def test_a_document_that_is_too_long_is_refused(limit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, limit, 1)
    (document,) = load(written(tmp_path / "a.txt", b"one\n\ntwo"), "a.txt")
    with pytest.raises(FileTooLargeError, match=r"8 characters in 2 paragraphs or rows, expected at most .* Split"):
        wire.document_line(document)


def test_labels_that_are_kept_with_every_passage_are_cut(loaders: LoaderPool, tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", json.dumps({"_id": "1", "text": "words", "title": "x" * 10**6}).encode())
    (document,) = loaders.documents(path, "a.jsonl")
    assert document.title == "x" * wire.MAX_LABEL


LIMITS = """
import resource
for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE, resource.RLIMIT_NPROC):
    assert resource.getrlimit(limit) == (0, 0)
try:
    open(path.with_name("written"), "w").write("x" * 100000)
except OSError:
    pass
else:
    raise ValueError("a parser can write")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits are POSIX")
def test_a_parser_writes_no_file(hostile: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "a.pdf", f"%PDF-\n{LIMITS}".encode())
    with LoaderPool(1, timeout=20) as loaders:
        assert [document.text for document in loaders.documents(path, "a.pdf")] == ["words"]
    assert not (tmp_path / "written").exists() or not (tmp_path / "written").stat().st_size


def test_a_large_file_gets_its_time_by_its_size(tmp_path: Path) -> None:
    loaders = LoaderPool(1, timeout=10, max_bytes=1000)
    small, large = written(tmp_path / "a.csv", b"x" * 1000), written(tmp_path / "b.csv", b"x" * 2500)
    assert [loaders._task(path, path.name).seconds for path in (small, large, tmp_path / "missing")] == [10, 30, 10]


def test_a_cut_line_is_a_parser_that_stopped() -> None:
    for line in (b"", b"{", b"[]\n", b'{"document": [1]}\n', b'{"error": "X"}\n', b"null\n"):
        with pytest.raises(ParserLimitError):
            wire.read_line(line, "a")


def test_a_process_imports_no_more_than_it_needs() -> None:
    heavy = "{'torch', 'langchain_core', 'sqlalchemy', 'openvino', 'qdrant_client', 'docx', 'bs4', 'pydantic', 'lxml'}"
    code = f"import sys, rag.loaders.worker\nassert not {heavy} & set(sys.modules), {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=process._ROOT)
