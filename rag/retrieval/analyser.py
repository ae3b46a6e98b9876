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

_STOP_WORDS = frozenset(
    """
    a about above after again against all am an and any are as at be because been before being below between
    both but by can did do does doing don down during each few for from further had has have having he her here
    hers herself him himself his how i if in into is it its itself just me more most my myself no nor not now of
    off on once only or other our ours ourselves out over own s same she should so some such t than that the
    their theirs them themselves then there these they this those through to too under until up very was we were
    what when where which while who whom why will with you your yours yourself yourselves
    """.split()  # noqa: SIM905 - read as a text
)
"""Function words of English, with those that questions are asked with. Fewer than `rag.text.STOP_WORDS`, which say
little: a word that is dropped here can never be searched for."""


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


def analyse(text: str, analyser: str) -> list[str]:
    """Return the BM25 terms of a text, in order and with repeats.

    Args:
        text: A document's or a question's text; both sides take the same way.
        analyser: `prose` (words, stemmed, without stop words) or `code` (the same on the parts of
            identifiers, which are kept whole as well).

    Raises:
        UnknownNameError: No analyser of that name.
    """
    return [term for word in _words(text, analyser) for term in _terms(word.lower())]


def words_of(text: str, analyser: str) -> list[Word]:
    """Return the words of a text with their terms, which are those of `analyse`."""
    return [Word(word.lower(), word, tuple(_terms(word.lower()))) for word in _words(text, analyser)]


def stems(words: Sequence[str]) -> list[str]:
    """Return the stem of each word in lower case; nothing is remembered of them."""
    return _stemmer().stemWords(list(words))


def terms_of(payload: Payload, analyser: str) -> list[str]:
    """Return the BM25 terms of a passage: of title, headings, symbol, text and, when there is one, summary."""
    chunk = payload.chunk
    parts = (payload.title, *chunk.headings, chunk.symbol, chunk.text, chunk.summary)
    return analyse("\n".join(part for part in parts if part), analyser)


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


def _terms(word: str) -> Iterator[str]:
    """Give a word's stem; pairs of neighbouring characters where a script has no blanks; nothing for a stop word."""
    if word.isascii():
        if word not in _STOP_WORDS:
            yield _stem(word[:_LONGEST_TERM])
        return
    rest = _UNSPACED.sub(" ", word)
    yield from (_stem(part[:_LONGEST_TERM]) for part in rest.split())
    for run in _UNSPACED.findall(word):
        yield from (run[i : i + 2] for i in range(max(1, len(run) - 1)))


class _Stemmer(Protocol):
    def stemWord(self, word: str) -> str: ...  # noqa: N802 - PyStemmer's name
    def stemWords(self, words: Sequence[str]) -> list[str]: ...  # noqa: N802 - PyStemmer's name


_local = threading.local()


@lru_cache(maxsize=65536)
def _stem(word: str) -> str:
    return _stemmer().stemWord(word)


def _stemmer() -> _Stemmer:
    stemmer: _Stemmer | None = getattr(_local, "stemmer", None)
    if stemmer is None:
        import Stemmer

        stemmer = _local.stemmer = Stemmer.Stemmer("english", 0)
    return stemmer
