"""A reader is one file, and two readers never claim one name."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from rag.errors import DuplicateNameError
from rag.loaders import LoaderPool, all_formats, load, readers, registry
from tests.loaders.check import check

MAIL = dedent('''
    """E-mail: the subject as title, the body as paragraphs."""

    from email import message_from_bytes, policy

    from rag.loaders.builder import TextBuilder
    from rag.loaders.registry import Format


    def load_mail(path, name):
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        builder = TextBuilder()
        builder.heading(message["subject"], 1)
        builder.add(message.get_body(("plain",)).get_content())
        yield builder.document(name, "text", message["subject"])


    FORMAT = Format("mail", (".eml",), load_mail)
''')
LETTER = b"From: a@example.org\nSubject: Opening hours\nContent-Type: text/plain\n\nWe open at nine.\n"

AddReader = Callable[[str, str], None]


def forget() -> None:
    registry.all_formats.cache_clear()
    registry.formats_by_extension.cache_clear()


@pytest.fixture
def add_reader(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[AddReader]:
    """Put a file into a folder where readers are looked for."""
    folder = tmp_path / "readers"
    folder.mkdir()
    monkeypatch.setattr(readers, "__path__", [*readers.__path__, str(folder)])
    forget()

    def add(name: str, source: str) -> None:
        (folder / f"{name}.py").write_text(source)

    yield add
    for name in [name for name in sys.modules if name.startswith("rag.loaders.readers.added_")]:
        del sys.modules[name]
    forget()


def test_a_reader_is_one_file(add_reader: AddReader, tmp_path: Path) -> None:
    add_reader("added_mail", MAIL)
    path = tmp_path / "hours.eml"
    path.write_bytes(LETTER)
    (document,) = load(path, "hours.eml")
    assert check(document).title == "Opening hours"
    assert document.text == "Opening hours\n\nWe open at nine."
    assert document.segments[1].headings == ("Opening hours",)
    with LoaderPool(timeout=20, memory_mb=1024) as pool:  # in a process of its own
        assert list(pool.documents(path, "hours.eml")) == [document]
    assert all_formats()["mail"].extensions == (".eml",)


@pytest.mark.parametrize(
    ("name", "extensions", "clash"),
    [("other", (".x1", ".pdf"), "file extension '.pdf'"), ("pdf", (".x1",), "file format 'pdf'")],
)
def test_two_readers_that_claim_one_name_are_an_error_at_start(
    add_reader: AddReader, name: str, extensions: tuple[str, ...], clash: str
) -> None:
    add_reader(
        "added_other",
        f"from rag.loaders.registry import Format\n\nFORMAT = Format({name!r}, {extensions!r}, None)\n",
    )
    with pytest.raises(DuplicateNameError, match=clash):
        LoaderPool()
