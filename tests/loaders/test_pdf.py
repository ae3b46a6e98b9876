"""PDFs: the fields of forms, fonts without letters, protection and damage."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import DamagedFileError, EncryptedFileError, UndecodableFileError
from rag.loaders import load
from tests.loaders.build import encrypted_pdf, form_pdf, garbled_pdf, pdf
from tests.loaders.check import loaded, parts

WORDS = "The quick brown fox jumps over the lazy dog. Many more words follow here, and they make up a sentence or two."


def test_filled_fields_stand_where_they_are_on_the_page(tmp_path: Path) -> None:
    content = form_pdf(
        "Application",
        [
            "/FT /Tx /T (applicant) /V (Jane Doe)",
            "/FT /Tx /T (f1_02) /TU (Date of birth) /V (1990-02-03)",
            "/FT /Ch /Ff 131072 /T (country) /Opt [[(fr) (France)] [(de) (Germany)]] /V (de)",
            "/FT /Btn /T (newsletter) /V /Yes /AS /Yes /AP << /N << /Yes 7 0 R /Off 7 0 R >> >>",
            "/FT /Btn /T (terms) /V /Off /AS /Off /AP << /N << /Yes 7 0 R /Off 7 0 R >> >>",
            "/FT /Tx /T (remarks)",
            "/FT /Tx /Ff 8192 /T (pin) /V (1234)",
        ],
    )
    (document,) = loaded(tmp_path / "form.pdf", content)
    lines = document.text.split("\n")
    assert [line for line in lines if line] == [
        "Application",
        "applicant: Jane Doe",
        "Date of birth: 1990-02-03",
        "country: Germany",
        "newsletter: checked",
        "terms: not checked",
    ]
    assert {segment.page for segment in document.segments} == {1}


def test_a_form_with_nothing_but_fields_is_read(tmp_path: Path) -> None:
    (document,) = loaded(tmp_path / "form.pdf", form_pdf("", ["/FT /Tx /T (name) /V (J\xfcrgen)"]))
    assert document.text == "name: Jürgen"


@pytest.mark.parametrize(("shift", "wide"), [(29, True), (31, True), (-3, False), (60, False)])
def test_fonts_that_do_not_say_their_letters_are_refused(shift: int, wide: bool, tmp_path: Path) -> None:
    words = WORDS if shift < 32 else "".join(char for char in WORDS if char > "@")
    path = tmp_path / "a.pdf"
    path.write_bytes(garbled_pdf(words, shift, wide))
    with pytest.raises(UndecodableFileError, match=r"fonts do not say which letters.*export it again"):
        list(load(path, "a.pdf"))


def test_numbers_codes_and_names_are_no_gibberish(tmp_path: Path) -> None:
    pages = [
        "\n".join(f"{number} {number * 7.3:.2f} {number % 9}% ({number * 11})" for number in range(60)),
        "\n".join(f"XJ-45B{number} RTV K{number}L-PQR BRKT M{number}X20 DIN{number}" for number in range(40)),
        "Kowalczyk Nguyen Fernández Grzegorz Brzęczyszczykiewicz".replace("ę", "e") * 9,
    ]
    for page in pages:
        (document,) = loaded(tmp_path / "a.pdf", pdf([page]))
        assert len(parts(document)) >= 1


def test_a_few_symbols_without_letters_do_no_harm(tmp_path: Path) -> None:
    content = pdf(["\n".join([WORDS] * 5)]).replace(b"(The quick", b"(\x01 \x02The quick", 1)
    (document,) = loaded(tmp_path / "a.pdf", content)
    assert "quick brown fox" in document.text


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-128", "AES-256", "AES-256-R5"])
def test_a_password_is_what_the_message_names(algorithm: str, tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    path = tmp_path / "a.pdf"
    path.write_bytes(encrypted_pdf(["words"], algorithm=algorithm))
    with pytest.raises(EncryptedFileError, match="needs a password"):
        list(load(path, "a.pdf"))


def test_an_unknown_protection_is_called_that(tmp_path: Path) -> None:
    content = pdf(["words"]).replace(b"trailer << ", b"trailer << /Encrypt << /Filter /Other /V 9 >> /ID [(a) (b)] ")
    path = tmp_path / "a.pdf"
    path.write_bytes(content)
    with pytest.raises(EncryptedFileError, match=r"password|encrypted"):
        list(load(path, "a.pdf"))


@pytest.mark.parametrize("content", [b"%PDF-1.7\n", b"%PDF-1.7\n1 0 obj\n<< /Type", b"%PDF-" + bytes(4000)])
def test_damage_is_called_damage_without_words_of_parsers(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(content)
    with pytest.raises(DamagedFileError, match="damaged or cut short") as caught:
        list(load(path, "a.pdf"))
    assert "parser" not in str(caught.value)
    assert "PS" not in str(caught.value).replace("PDF", "")
