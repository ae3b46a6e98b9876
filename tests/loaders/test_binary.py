"""Content and name: which wins, what is refused as what, and that no message shows a path."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from random import Random

import pytest

from rag.errors import (
    DamagedFileError,
    EncryptedFileError,
    FileTooLargeError,
    UndecodableFileError,
    UnreadableFileError,
    UnsupportedFileError,
)
from rag.loaders import LoaderPool, all_formats, load
from rag.loaders.readers import docx as docx_reader
from tests.loaders.build import docx, pdf
from tests.loaders.check import loaded

HEADS = {
    "FITS": (b"SIMPLE  =                    T / conforms" + b" " * 40) * 40 + bytes(range(256)) * 9,
    "WMF": b"\xd7\xcd\xc6\x9a" + b"\x00\x00" * 9 + bytes(range(200)) * 3,
    "WMF without a header": b"\x01\x00\x09\x00\x00\x03" + b"\x22\x01" * 300,
    "EMF": b"\x01\x00\x00\x00" + b"\x6c\x00\x00\x00" * 9 + b" EMF" + b"\x00\x00\x01\x00" * 200,
    "BMP": b"BM" + (1000).to_bytes(4, "little") + bytes(52) + b"\xf0\xe1\xd2" * 300,
    "ICO": b"\x00\x00\x01\x00\x01\x00" + bytes(300),
    "program": b"MZ" + bytes(60) + b"This program cannot be run in DOS mode" + bytes(range(256)),
    "UTF-16 mark before noise": b"\xff\xfe" + Random(1).randbytes(3000),
    "UTF-8 mark before noise": b"\xef\xbb\xbf" + Random(2).randbytes(3000),
    "noise": Random(3).randbytes(3000),
    "noise without controls": bytes(Random(4).choices([*range(32, 127), *range(128, 256)], k=3000)),
    "floats": b"".join(bytes([0x3F, 0x80 + i % 100, i % 256, 0xC0]) for i in range(2000)),
    "text, then noise": b"#!/bin/sh\ntail -n +3 $0 | tar xz\n" * 3000 + Random(5).randbytes(9000),
}


@pytest.mark.parametrize("what", HEADS)
@pytest.mark.parametrize("name", ["a", "a.txt", "a.md", "a.csv", "a.html", "a.xml", "a.py", "a.json"])
def test_binary_data_is_never_taken_for_text(what: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(HEADS[what])
    with pytest.raises((UnsupportedFileError, UndecodableFileError)) as caught:
        list(load(path, name))
    assert "." in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["ID3 tags hold titles.", "BZh is not it.", "GIF89a is a format.", "MZ was an architect.", "OTTO is a name.", "BM"],
)
def test_words_that_are_a_mark_elsewhere_are_words(text: str, tmp_path: Path) -> None:
    (document,) = loaded(tmp_path / "a.txt", f"{text} More words follow.")
    assert document.text.startswith(text)


def test_markdown_about_pdf_is_markdown(tmp_path: Path) -> None:
    text = "# Formats\n\nA PDF begins with `%PDF-1.7`, then a version.\n"
    (document,) = loaded(tmp_path / "a.md", text)
    assert document.media_type == "markdown"
    (document,) = loaded(tmp_path / "b.txt", text)
    assert document.media_type == "text"


def test_junk_before_a_pdf_counts_only_when_the_name_says_pdf(tmp_path: Path) -> None:
    content = b"junk of a mail gateway\n" + pdf(["A page."])
    (document,) = loaded(tmp_path / "a.pdf", content)
    assert (document.media_type, document.text) == ("pdf", "A page.")
    (document,) = loaded(tmp_path / "a", b"\n" + pdf(["A page."]))
    assert document.media_type == "pdf"


@pytest.mark.parametrize(
    ("name", "content", "kind", "words"),
    [
        ("a.pdf", b"Just some words.", DamagedFileError, "ends in .pdf, but the content is plain text.*Name it .txt"),
        ("a.docx", b"Just some words.", DamagedFileError, "ends in .docx, but the content is plain text"),
        ("a.pdf", bytes(range(256)) * 9, DamagedFileError, "ends in .pdf, but .* damaged or in another format"),
        ("a.pdf", b"\x89PNG\r\n\x1a\n" + bytes(50), UnsupportedFileError, "PNG image"),
    ],
)
def test_a_name_that_disagrees_with_the_content_says_both(
    name: str, content: bytes, kind: type[UnreadableFileError], words: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(kind, match=words):
        list(load(path, name))


def test_unambiguous_content_is_read_whatever_the_name(tmp_path: Path) -> None:
    assert loaded(tmp_path / "a.docx", pdf(["A page."]))[0].media_type == "pdf"
    assert loaded(tmp_path / "a.pdf", docx([("p", "A paragraph.")]))[0].media_type == "docx"


CONTENT_TYPE = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"


def _retyped(content: bytes, content_type: bytes, entry: str = "[Content_Types].xml") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for item in source.infolist():
            data = source.read(item)
            target.writestr(item, data.replace(CONTENT_TYPE, content_type) if item.filename == entry else data)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.docm", b"application/vnd.ms-word.document.macroEnabled.main+xml"),
        ("a.dotx", b"application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml"),
        ("a.dotm", b"application/vnd.ms-word.template.macroEnabledTemplate.main+xml"),
    ],
)
def test_documents_with_macros_and_templates_are_read(name: str, content_type: bytes, tmp_path: Path) -> None:
    content = _retyped(docx([("h1", "Guide"), ("p", "Some words.")]), content_type)
    (document,) = loaded(tmp_path / name, content)
    assert document.text == "Guide\n\nSome words."


def test_a_container_that_unpacks_to_far_more_is_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", bytes(30_000_000))
    path = tmp_path / "a.docx"
    path.write_bytes(stream.getvalue())
    with pytest.raises(FileTooLargeError, match="times its size"):
        list(load(path, "a.docx"))


def test_too_many_entries_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docx_reader, "_MAX_ENTRIES", 5)
    path = tmp_path / "a.docx"
    path.write_bytes(docx([("p", "words")]))
    with pytest.raises(FileTooLargeError, match="entries"):
        list(load(path, "a.docx"))


def test_a_zip_with_a_password_says_so(tmp_path: Path) -> None:
    content = bytearray(docx([("p", "words")]))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        start = archive.start_dir
    content[start + 8] |= 1  # the flag in the first entry of the directory
    path = tmp_path / "a.docx"
    path.write_bytes(content)
    with pytest.raises(EncryptedFileError, match="password"):
        list(load(path, "a.docx"))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("extension", sorted({entry.extensions[0] for entry in all_formats().values()} | {".docm"}))
def test_no_message_shows_where_a_file_is(extension: str, seed: int, tmp_path: Path) -> None:
    folder = tmp_path / "secret-folder"
    folder.mkdir()
    choose = Random(f"{extension}{seed}")
    contents = [
        pdf(["words"])[:-300],
        docx([("p", "words")])[:-900],
        b"<a",
        b"{",
        b"PK\x03\x04",
        b"%PDF-1.7\n%",
        b"\xff",
    ]
    contents += [_retyped(docx([("p", "x")]), b"text/other"), _retyped(docx([("p", "x")]), b"", "word/document.xml")]
    for content in contents:
        spoilt = bytearray(content * 3)
        for _ in range(choose.randrange(4)):
            spoilt[choose.randrange(len(spoilt))] = choose.randrange(256)
        path = folder / f"stored-under-an-id{extension}"
        path.write_bytes(spoilt)
        try:
            list(load(path, f"shown{extension}"))
        except UnreadableFileError as error:
            assert "secret-folder" not in str(error)
            assert "stored-under-an-id" not in str(error)
            assert str(error).endswith((".", "?"))


def test_errors_keep_their_kind_across_processes(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    path.write_bytes(docx([("p", "words")])[:700])
    with LoaderPool(1, timeout=60) as pool, pytest.raises(DamagedFileError) as caught:
        list(pool.documents(path, "a.docx"))
    assert type(caught.value) is DamagedFileError
