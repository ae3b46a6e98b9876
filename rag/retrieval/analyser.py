"""Text analysis for BM25: one function, run by us, so that every engine ranks the same terms.

The terms are stored beside the text and indexed by the engine's plain word tokenizer, which counts them, keeps
document lengths and takes inverse document frequencies from the live collection: nothing about the corpus is fixed on
writing.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from rag.errors import UnknownNameError
from rag.language import ENGLISH
from rag.retrieval.function_words import FUNCTION_WORDS, STEMMED
from rag.types import Payload

_WORD = re.compile(r"[^\W_]+")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_IDENTIFIER = re.compile(r"\w+")
_ACCENTS = re.compile(r"[\u0300-\u036f]")
_LETTERS = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "Æ": "Ae",
        "œ": "oe",
        "Œ": "Oe",
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
        "ı": "i",
    }
)
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\U00020000-\U0002ffff]+"
)
_LONGEST_TERM = 64


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text with its terms.

    Attributes:
        text: In lower case, without accents.
        written: As it is written, without accents.
        terms: What it is found by; none for a stop word, several where a script has no blanks.
    """

    text: str
    written: str
    terms: tuple[str, ...]


def analyse(text: str, analyser: str, spoken: str = "") -> list[str]:
    """Return the BM25 terms of a text, in order and with repeats.

    Args:
        text: A document's or a question's text; both sides take the same way.
        analyser: `prose` (words, stemmed, without stop words) or `code` (the same on the parts of
            identifiers, which are kept whole as well).
        spoken: ISO 639-1 code of the language that prose is stemmed by; empty when it is not clear, which is English.

    Raises:
        UnknownNameError: No analyser of that name.
    """
    return [term for word in _words(text, analyser) for term in _terms(word.lower(), _language(analyser, spoken))]


def words_of(text: str, analyser: str, spoken: str = "") -> list[Word]:
    """Return the words of a text with their terms, which are those of `analyse`."""
    language = _language(analyser, spoken)
    return [Word(word.lower(), word, tuple(_terms(word.lower(), language))) for word in _words(text, analyser)]


def stem_words(words: Sequence[str], language: str = ENGLISH) -> list[str]:
    """Return the stem of each word in lower case by a language of `STEMMED`; nothing is remembered of them."""
    if language == "es":  # the accent that its stemmer knows this ending by
        words = [f"{word[:-3]}ión" if word.endswith("ion") else word for word in words]
    return [_fold(stem) for stem in _stemmer(language).stemWords(list(words))]


def terms_of(payload: Payload, analyser: str) -> list[str]:
    """Return the BM25 terms of a passage: of title, headings, symbol, text and, when there is one, summary."""
    chunk = payload.chunk
    parts = (payload.title, *chunk.headings, chunk.symbol, chunk.text, chunk.summary)
    return analyse("\n".join(part for part in parts if part), analyser, chunk.spoken)


def question_terms(terms: Sequence[str], analyser: str) -> tuple[str, ...]:
    """Return the terms to search for, of a question that was analysed.

    In prose a term stays as often as it is repeated, because repetition says what a long text is about. Descriptions of
    code repeat names of little meaning: there each term counts once.
    """
    return tuple(terms) if analyser == "prose" else tuple(dict.fromkeys(terms))


def _fold(text: str) -> str:
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", text.translate(_LETTERS))))


def _words(text: str, analyser: str) -> Iterator[str]:
    try:
        words = _ANALYSERS[analyser]
    except KeyError:
        raise UnknownNameError("analyser", analyser, _ANALYSERS) from None
    return words(_fold(text))


def _prose(text: str) -> Iterator[str]:
    return (match.group() for match in _WORD.finditer(text))


def _code(text: str) -> Iterator[str]:
    for match in _IDENTIFIER.finditer(text):
        identifier = match.group()
        parts = _PARTS.findall(identifier)
        yield from parts
        if len(parts) > 1:
            yield "".join(parts)


_ANALYSERS: dict[str, Callable[[str], Iterator[str]]] = {"prose": _prose, "code": _code}


def _language(analyser: str, spoken: str) -> str:
    return spoken if analyser == "prose" and spoken in STEMMED else ENGLISH


def _terms(word: str, language: str = ENGLISH) -> Iterator[str]:
    """Give a word's stem; pairs of neighbouring characters where a script has no blanks; nothing for a stop word."""
    if word.isascii():
        if word not in FUNCTION_WORDS.get(language, ()):
            yield _stem(word[:_LONGEST_TERM], language)
        return
    rest = _UNSPACED.sub(" ", word)
    yield from (_stem(part[:_LONGEST_TERM], language) for part in rest.split())
    for run in _UNSPACED.findall(word):
        yield from (run[i : i + 2] for i in range(max(1, len(run) - 1)))


class _Stemmer(Protocol):
    def stemWords(self, words: Sequence[str]) -> list[str]: ...  # noqa: N802 - PyStemmer's name


_local = threading.local()


@lru_cache(maxsize=65536)
def _stem(word: str, language: str) -> str:
    return stem_words([word], language)[0]


def _stemmer(language: str) -> _Stemmer:
    stemmers: dict[str, _Stemmer] | None = getattr(_local, "stemmers", None)
    if stemmers is None:
        stemmers = _local.stemmers = {}
    if language not in stemmers:
        import Stemmer

        stemmers[language] = Stemmer.Stemmer(STEMMED[language], 0)
    return stemmers[language]
