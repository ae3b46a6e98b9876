"""PDF, DOCX, HTML, Markdown, text, XML and notebooks."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from rag.errors import (
    EmptyFileError,
    EncryptedFileError,
    FileTooLargeError,
    ScannedFileError,
    UnreadableFileError,
    UnsupportedFileError,
)
from rag.loaders import all_formats, load, plain_text
from rag.loaders.readers import docx as docx_reader
from tests.loaders.build import docx, encrypted_pdf, pdf, scanned_pdf
from tests.loaders.check import loaded, parts


def test_every_format_has_its_own_extensions() -> None:
    formats = all_formats()
    assert set(formats) >= {
        "pdf", "docx", "html", "markdown", "text", "table", "jsonl", "json", "code", "notebook", "xml",
    }  # fmt: skip
    extensions = [extension for entry in formats.values() for extension in entry.extensions]
    assert len(extensions) == len(set(extensions))
    assert all(extension.startswith(".") and extension == extension.lower() for extension in extensions)


# -- pdf


def test_pdf_keeps_pages_title_and_headings(tmp_path: Path) -> None:
    pages = ["# Setting up\nPlug the cable in.\nThen press the button.", "More on the second page (and braces)."]
    (document,) = loaded(tmp_path / "a.pdf", pdf(pages, "Manual"))
    assert (document.media_type, document.title) == ("pdf", "Manual")
    heading, first, second = document.segments
    assert (heading.kind, heading.page) == ("heading", 1)
    assert parts(document) == [
        "Setting up",
        "Plug the cable in. Then press the button.",
        "More on the second page (and braces).",
    ]
    assert (first.page, first.headings) == (1, ("Setting up",))
    assert second.page == 2


def test_pdf_joins_lines_and_hyphenated_words_but_not_bullets(tmp_path: Path) -> None:
    page = "The television can be con-\nnected to a loudspeaker or\n- one thing\n- other thing that is long enough"
    (document,) = loaded(tmp_path / "a.pdf", pdf([page]))
    assert (
        document.text
        == "The television can be connected to a loudspeaker or\n- one thing\n- other thing that is long enough"
    )


def test_pdf_pages_without_text_do_not_shift_the_numbers(tmp_path: Path) -> None:
    (document,) = loaded(tmp_path / "a.pdf", pdf(["", "Only here.", ""]))
    assert [segment.page for segment in document.segments] == [2]


def test_pdf_running_heads_are_no_headings(tmp_path: Path) -> None:
    body = "\n".join(["A long line of the body of this page of the book."] * 5)
    pages = [f"# The book, page {number}\n{body}\n# Part {'abcd'[number]}\n{body}" for number in range(4)]
    (document,) = loaded(tmp_path / "a.pdf", pdf(pages))
    assert parts(document, "heading") == ["Part a", "Part b", "Part c", "Part d"]
    assert "The book, page 2" in document.text


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (scanned_pdf(2), ScannedFileError, "2 page"),
        (encrypted_pdf(["secret words"]), EncryptedFileError, "password"),
        (pdf(["", ""]), EmptyFileError, "no text"),
        (b"%PDF-1.7\nnothing that follows the format", UnreadableFileError, "damaged"),
        (b"", EmptyFileError, "zero bytes"),
        (b" \n\t ", EmptyFileError, "no text"),
    ],
)
def test_pdf_without_text_says_why(content: bytes, kind: type[Exception], words: str, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(content)
    with pytest.raises(kind, match=words):
        list(load(path, "a.pdf"))


def test_content_decides_before_the_extension(tmp_path: Path) -> None:
    (document,) = loaded(tmp_path / "a.txt", pdf(["A page."]))
    assert document.media_type == "pdf"
    (document,) = loaded(tmp_path / "b.pdf", "<!DOCTYPE html><p>Not found")
    assert (document.media_type, document.text) == ("html", "Not found")
    (document,) = loaded(tmp_path / "page", "<html><body><h1>T</h1>")
    assert document.media_type == "html"


# -- docx


def test_docx_keeps_order_headings_lists_and_tables(tmp_path: Path) -> None:
    content = docx(
        [
            ("h1", "Guide"),
            ("p", "Before."),
            ("h2", "Steps"),
            ("li", "One"),
            ("li", "Two"),
            ("table", [["Key", "Use"], ["F1", "Help"]]),
            ("h1", "End"),
            ("p", "After."),
        ],
        title="The guide",
    )
    (document,) = loaded(tmp_path / "a.docx", content)
    assert (document.media_type, document.title) == ("docx", "The guide")
    assert [(s.kind, s.headings) for s in document.segments] == [
        ("heading", ()),
        ("text", ("Guide",)),
        ("heading", ("Guide",)),
        ("list", ("Guide", "Steps")),
        ("list", ("Guide", "Steps")),
        ("table", ("Guide", "Steps")),
        ("heading", ()),
        ("text", ("End",)),
    ]
    assert document.text == "Guide\n\nBefore.\n\nSteps\n\n- One\n- Two\n\nKey | Use\nF1 | Help\n\nEnd\n\nAfter."


def test_docx_shows_insertions_and_hides_deletions_and_hidden_runs(tmp_path: Path) -> None:
    import docx as python_docx
    from docx.oxml import parse_xml

    document = python_docx.Document()
    word = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    runs = (
        "<w:ins><w:r><w:t>new </w:t></w:r></w:ins><w:del><w:r><w:delText>old </w:delText></w:r></w:del>"
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden </w:t></w:r><w:hyperlink><w:r><w:t>link</w:t></w:r></w:hyperlink>"
    )
    document.element.body.insert(0, parse_xml(f"<w:p {word}>{runs}</w:p>"))
    stream = io.BytesIO()
    document.save(stream)
    (read,) = loaded(tmp_path / "a.docx", stream.getvalue())
    assert read.text == "new link"


def test_docx_text_boxes_are_read_once(tmp_path: Path) -> None:
    import docx as python_docx
    from docx.oxml import parse_xml

    names = (
        'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    )
    box = "<w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent>"
    choice = f"<mc:AlternateContent><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent>"
    document = python_docx.Document()
    paragraph = f"<w:p {names}><w:r>{choice}</w:r><w:r><w:t>anchor</w:t></w:r></w:p>"
    document.element.body.insert(0, parse_xml(paragraph))
    stream = io.BytesIO()
    document.save(stream)
    (read,) = loaded(tmp_path / "a.docx", stream.getvalue())
    assert read.text == "boxed\n\nanchor"


def _zip(entries: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return stream.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)


@pytest.mark.parametrize(
    ("name", "content", "kind", "words"),
    [
        ("a.docx", docx([("p", "x")])[:700], UnreadableFileError, "damaged"),
        ("a.docx", docx([]), EmptyFileError, "no text"),
        ("a.docx", OLE + "EncryptedPackage".encode("utf-16-le"), EncryptedFileError, "password"),
        ("a.doc", OLE, UnsupportedFileError, "DOCX"),
        ("a.xlsx", _zip({"xl/workbook.xml": b"<a/>"}), UnsupportedFileError, "Excel.*CSV"),
        ("a.pptx", _zip({"ppt/presentation.xml": b"<a/>"}), UnsupportedFileError, "PowerPoint.*PDF"),
        ("a.odt", _zip({"content.xml": b"<a/>"}), UnsupportedFileError, "OpenDocument"),
        ("a.zip", _zip({"a.txt": b"words"}), UnsupportedFileError, "Unpack"),
        ("a.docx", _zip({"word/document.xml": b"<a/>"}), UnreadableFileError, "damaged"),
    ],
)
def test_containers_that_are_no_docx_say_what_they_are(
    name: str, content: bytes, kind: type[Exception], words: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(kind, match=words):
        list(load(path, name))


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docx_reader, "MAX_UNPACKED", 1_000_000)
    path = tmp_path / "a.docx"
    path.write_bytes(_zip({"word/document.xml": bytes(2_000_000)}))
    with pytest.raises(FileTooLargeError, match="unpacks to 2 MB"):
        list(load(path, "a.docx"))


# -- html

PAGE = """<!DOCTYPE html><html><head><title>The  page</title><style>p {}</style></head><body>
<script>alert("script")</script><nav hidden>hidden</nav><div style="display: none">none</div>
<h1>Top <em>level</em></h1><p>One<br>two, <b>bold</b>words and <code>code</code>.</p>
<div>Loose <span aria-hidden="true">icon</span> text<p>Inner</p>tail</div>
<h2>Lists</h2><ul><li>First<ul><li>Nested</li></ul></li><li>Second</li></ul>
<table><tr><th>Key</th><th>Use</th></tr><tr><td>F1</td><td>Help <i>me</i></td></tr></table>
<pre>def f():
    return 1
</pre><template>t</template></body></html>"""


def test_html_reads_as_people_see_it(tmp_path: Path) -> None:
    (document,) = loaded(tmp_path / "a.html", PAGE)
    assert (document.media_type, document.title) == ("html", "The page")
    assert [(s.kind, document.text[s.start : s.end], s.headings) for s in document.segments] == [
        ("heading", "Top level", ()),
        ("text", "One\ntwo, boldwords and code.", ("Top level",)),
        ("text", "Loose text", ("Top level",)),
        ("text", "Inner", ("Top level",)),
        ("text", "tail", ("Top level",)),
        ("heading", "Lists", ("Top level",)),
        ("list", "- First\n  - Nested\n- Second", ("Top level", "Lists")),
        ("table", "Key | Use\nF1 | Help me", ("Top level", "Lists")),
        ("code", "def f():\n    return 1", ("Top level", "Lists")),
    ]


def test_html_words_of_neighbouring_blocks_do_not_join(tmp_path: Path) -> None:
    page = "<ul><li><p>one</p><p>two</p></li></ul><table><tr><td><div>a</div><div>b</div></td></tr></table>"
    (document,) = loaded(tmp_path / "a.html", page)
    assert document.text.split() == ["-", "one", "two", "a", "b"]


@pytest.mark.parametrize(("codec", "label"), [("cp1252", "iso-8859-1"), ("cp932", "shift_jis"), ("utf-8", "utf-8")])
def test_html_charset_from_meta(codec: str, label: str, tmp_path: Path) -> None:
    words = "日本語のページ" if codec == "cp932" else "Größe “genau”"
    page = f'<html><head><meta charset="{label}"></head><body><p>{words}</p></body></html>'
    (document,) = loaded(tmp_path / "a.html", page.encode(codec))
    assert document.text == words


def test_html_with_a_wrong_charset_is_still_read(tmp_path: Path) -> None:
    page = '<html><head><meta charset="ascii"></head><body><p>Größe</p></body></html>'
    (document,) = loaded(tmp_path / "a.html", page.replace("ascii", "koi8-u-2").encode())
    assert document.text == "Größe"


def test_html_nested_very_deeply_keeps_its_words(tmp_path: Path) -> None:
    page = "<div>" * 1500 + "deep words" + "</div>" * 1500 + "<p>after</p>"
    (document,) = loaded(tmp_path / "a.html", page)
    assert "deep words" in document.text
    lists = "<ul><li>" * 500 + "low" + "</li></ul>" * 500
    (document,) = loaded(tmp_path / "b.html", lists)
    assert "low" in document.text
    with pytest.raises(UnreadableFileError, match="nests"):
        loaded(tmp_path / "c.html", "<div>" * 5000 + "words")


# -- markdown

MARKDOWN = """---
title: "Set up"
tags: [a]
---

Intro *text*.

# Install `it` #

1. One
2. Two
   - Inner

Sub
---

```python
# no heading
x = 1
```

| a | b |
|---|---|
| 1 | 2 |

## [Link](http://x.test/)
Last.
"""


def test_markdown_keeps_structure_and_lines(tmp_path: Path) -> None:
    (document,) = loaded(tmp_path / "a.md", MARKDOWN)
    assert (document.media_type, document.title) == ("markdown", "Set up")
    segments = [(s.kind, document.text[s.start : s.end], s.line_start, s.line_end) for s in document.segments]
    assert segments == [
        ("text", "Intro *text*.", 6, 6),
        ("heading", "Install it", 8, 8),
        ("list", "1. One\n2. Two\n   - Inner", 10, 12),
        ("heading", "Sub", 14, 15),
        ("code", "# no heading\nx = 1", 18, 19),
        ("table", "| a | b |\n|---|---|\n| 1 | 2 |", 22, 24),
        ("heading", "Link", 26, 26),
        ("text", "Last.", 27, 27),
    ]
    assert document.segments[-1].headings == ("Install it", "Link")
    lines = MARKDOWN.split("\n")
    for _, text, start, end in segments:
        assert text.split("\n")[-1].strip("# ") in "\n".join(lines[start - 1 : end]) or text in {"Install it", "Link"}


def test_markdown_takes_the_title_from_the_first_highest_heading(tmp_path: Path) -> None:
    (document,) = loaded(tmp_path / "a.md", "## Small\n\n# Big\n\n# Other\n\ntext")
    assert document.title == "Big"


@pytest.mark.parametrize(
    "text", ["---\nno end", "[" * 5000 + "x", "> " * 3000 + "deep", "- " * 2000 + "x", "`" * 9999 + "\nx"]
)
def test_odd_markdown_is_read(text: str, tmp_path: Path) -> None:
    loaded(tmp_path / "a.md", text)


# -- text


def test_text_has_paragraphs_with_lines_and_headings(tmp_path: Path) -> None:
    text = "OVERVIEW\n\nFirst line\nsecond line\n   \n\nUnderlined\n==========\n\nLast\r\n"
    (document,) = loaded(tmp_path / "a.txt", text)
    segments = [
        (s.kind, document.text[s.start : s.end], s.line_start, s.line_end, s.headings) for s in document.segments
    ]
    assert segments == [
        ("heading", "OVERVIEW", 1, 1, ()),
        ("text", "First line\nsecond line", 3, 4, ("OVERVIEW",)),
        ("heading", "Underlined\n==========", 7, 8, ()),
        ("text", "Last", 10, 10, ("Underlined",)),
    ]


@pytest.mark.parametrize("name", ["Makefile", "run.sh", "query.sql", "notes", "a.unknown"])
def test_any_text_is_read_as_text(name: str, tmp_path: Path) -> None:
    (document,) = loaded(tmp_path / name, "SELECT 1;\n")
    assert document.segments[0].kind == "text"
    assert (document.media_type, document.segments[0].line_start) == ("text", 1)


def test_long_text_is_split_into_parts_with_running_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_text, "PART_BYTES", 1000)
    lines = [f"line {number} äöü 日本" for number in range(1, 301)]
    documents = loaded(tmp_path / "a.txt", "\n".join(lines))
    assert [document.key for document in documents] == [f"part-{n}" for n in range(1, len(documents) + 1)]
    assert len(documents) > 5
    assert all(len(document.text.encode()) <= 1000 for document in documents)
    assert "\n".join(document.text.strip("\n") for document in documents).split("\n") == lines
    for document in documents:
        first = document.segments[0]
        assert document.text[first.start :].startswith(lines[first.line_start - 1])


def test_one_long_line_is_split_without_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_text, "PART_BYTES", 100)
    documents = loaded(tmp_path / "a.txt", "é" * 1234)
    assert "".join(document.text for document in documents) == "é" * 1234


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "PNG image.*recognition"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "JPEG"),
        (b"\x1f\x8b\x08" + bytes(50), "gzip.*Unpack"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt " + bytes(50), "WAV.*Transcribe"),
        (b"SQLite format 3\x00" + bytes(50), "SQLite.*CSV"),
        (b"{\\rtf1 hello}", "RTF.*DOCX"),
        (bytes(range(256)) * 8, "binary"),
    ],
)
@pytest.mark.parametrize("name", ["a.bin", "a.txt", "a.csv"])
def test_what_is_no_text_says_what_it_is(content: bytes, words: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnsupportedFileError, match=words):
        list(load(path, name))


def test_a_file_over_the_limit_is_refused_unless_it_is_streamed(tmp_path: Path) -> None:
    with pytest.raises(FileTooLargeError, match="RAG_MAX_FILE_MB"):
        loaded(tmp_path / "a.md", "word " * 100, max_bytes=100)
    assert loaded(tmp_path / "a.txt", "word " * 100, max_bytes=100)


def test_a_missing_file_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="No such file"):
        list(load(tmp_path / "none.txt", "none.txt"))


# -- xml and notebooks


def test_xml_gives_text_and_never_entities(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret words")
    content = (
        f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file://{secret}"><!ENTITY a "lol">'
        '<!ENTITY b "&a;&a;&a;">]>'
        "<r><!-- note --><a>One <b>bold</b> word</a>\n<c><d>Two</d><d>&x;</d><d>&b;</d></c></r>"
    )
    (document,) = loaded(tmp_path / "a.xml", content)
    assert "secret" not in document.text
    assert "lol" not in document.text
    assert parts(document)[:2] == ["One bold word", "Two"]


def test_bad_xml_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="not well formed"):
        loaded(tmp_path / "a.xml", "<a><b></a>")


def test_notebook_has_markdown_and_code_without_outputs(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "Some *text*."]},
        {"cell_type": "code", "source": "x = 1\nprint(x)", "outputs": [{"text": "output"}]},
        {"cell_type": "code", "source": []},
    ]
    notebook = {"cells": cells, "metadata": {"kernelspec": {"language": "python"}}, "nbformat": 4, "nbformat_minor": 5}
    (document,) = loaded(tmp_path / "a.ipynb", json.dumps(notebook))
    assert (document.media_type, document.title, document.language) == ("notebook", "Title", "python")
    assert [(s.kind, s.headings) for s in document.segments] == [
        ("heading", ()),
        ("text", ("Title",)),
        ("code", ("Title",)),
    ]
    assert document.text == "Title\n\nSome *text*.\n\nx = 1\nprint(x)"


@pytest.mark.parametrize("content", ["{}", "[]", "words", '{"cells": 1}', '{"cells": [1]}', "[" * 100_000])
def test_a_broken_notebook_is_unreadable(content: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="notebook"):
        loaded(tmp_path / "a.ipynb", content)
