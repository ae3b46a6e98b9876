"""Odd files from the tests of PDF, Office and text tools: each gives text or its own reason, in time."""

import time
from collections.abc import Iterator

import pytest

from rag.errors import (
    DamagedFileError,
    EmptyFileError,
    EncryptedFileError,
    ScannedFileError,
    UnreadableFileError,
    UnsupportedFileError,
)
from rag.loaders import LoaderPool
from tests.loaders.build import SHARED
from tests.loaders.check import check

FOLDER = SHARED / "badfiles"
FILES = sorted(path.name for path in FOLDER.iterdir() if path.suffix != ".tsv") if FOLDER.is_dir() else []
pytestmark = pytest.mark.skipif(not FILES, reason="../shared/badfiles is not here")
SECONDS = 20

KINDS: dict[str, type[UnreadableFileError]] = {
    "pdfplumber__empty.pdf": EmptyFileError,
    "unstructured__empty.txt": EmptyFileError,
    "pdfjs__empty.pdf": EmptyFileError,
    "pdfjs__empty#hash.pdf": EmptyFileError,
    "pdfjs__empty_protected.pdf": EmptyFileError,
    "pdfjs__issue15893_reduced.pdf": EncryptedFileError,
    "pdfjs__issue6010_2.pdf": EncryptedFileError,
    "pdfminersix__aes-256-r6.pdf": EncryptedFileError,
    "pypdf__r6-user-password.pdf": EncryptedFileError,
    "sample-files__libreoffice-writer-password.pdf": EncryptedFileError,
    "tika__testUnicodePassword.pdf": EncryptedFileError,
    "tika__testWORD_protected_passtika.docx": EncryptedFileError,
    "sample-files__grayscale-image.pdf": ScannedFileError,
    "pdfjs__PDFBOX-4352-0.pdf": EncryptedFileError,
    "pdfjs__poppler-742-0-fuzzed.pdf": DamagedFileError,
    "tika__testWORD_truncated.docx": DamagedFileError,
    "tika__droste.zip": UnsupportedFileError,
    "tika__quine.gz": UnsupportedFileError,
    "tika__testZIP_corrupted_oom.zip": DamagedFileError,
}
TEXTS = {
    "pdfjs__helloworld-bad.pdf": "Hello, world!",
    "pdfjs__xref_command_missing.pdf": "Reduced test-case",
    "pdfjs__Pages-tree-refs.pdf": "Pages loop",
    "pdfjs__ArabicCIDTrueType.pdf": "انواع الخطوط العربية",
    "pdfminersix__zen_of_python_corrupted.pdf": "Beautiful is better than ugly.",
    "pocs__1016garbage.pdf": "http://www.corkami.com",
    "sample-files__with-attachment.pdf": "Lorem ipsum dolor sit amet",
    "tika__testPDF_bad_page_303226.pdf": "Drug Enforcement Administration",
    "tika__NullHeader.docx": "Hundreds injured in Yemen protest",
    "tika__test_recursive_embedded.docx": "embed_0",
    "tika__testHTMLBadScript.html": "This is a test.",
    "tika__testHTML_charset_utf16le.html": "This is a sample text",
    "tika__testArabicMisleadingCharset.html": "رجل حكيم",
    "unstructured__fake-text-utf-16-le.txt": "This is a test document to use for unit tests.",
    "unstructured__fake-text-utf-32.txt": "This is a test document to use for unit tests.",
    "unstructured__fake-html-cp1252.html": "My First Heading",
    "unstructured__example-steelJIS-datasheet-utf-16.html": "日本",
    "unstructured__fake-incomplete-json.txt": "John Doe",
    "unstructured__stanley-cups-utf-16.csv": "Team: Blues\nLocation: STL",
    "unstructured__UDHR_first_article_all.txt": "Alle Menschen sind frei",
    "big-list-of-naughty-strings__blns.txt": "<script>alert(",
}


@pytest.fixture(scope="module")
def loaders() -> Iterator[LoaderPool]:
    with LoaderPool(1, timeout=SECONDS, memory_mb=1024) as pool:
        yield pool


@pytest.mark.parametrize("name", FILES)
def test_an_odd_file_gives_text_or_a_reason(name: str, loaders: LoaderPool) -> None:
    began = time.monotonic()
    if kind := KINDS.get(name):
        with pytest.raises(kind) as caught:
            list(loaders.documents(FOLDER / name, name))
        assert type(caught.value) is kind
        assert len(str(caught.value)) > 20
    else:
        _gives_text_or_a_reason(name, loaders)
    assert time.monotonic() - began < SECONDS + 5


def _gives_text_or_a_reason(name: str, loaders: LoaderPool) -> None:
    try:
        text = "\n".join(check(document).text for document in loaders.documents(FOLDER / name, name))
    except UnreadableFileError as error:
        assert name not in TEXTS, error
        assert len(str(error)) > 20
    else:
        assert TEXTS.get(name, "") in text
