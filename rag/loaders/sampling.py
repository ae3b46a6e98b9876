"""The words of a file that tell its encoding."""

from __future__ import annotations

import re
from collections import Counter

from rag.text import STOP_WORDS

WORD_BYTES = 600
"""Bytes at which a longer word, such as a line of Chinese, is cut."""
_WORDS, _SEEN = 100, 3
_ENGLISH = frozenset(word.encode("ascii") for word in STOP_WORDS if len(word) > 2)


class Sample:
    """Words that are not ASCII: the first ones, and some for every byte value.

    Args:
        white: What separates words, as bytes of one character each.
        has_ascii: False when bytes below 0x80 need not be ASCII, so that every word is looked at.

    Attributes:
        ascii_words: Number of words of ASCII letters.
        english_words: Those among them that are frequent in English.
        sequences: Number of characters beyond ASCII that are valid UTF-8.
        bad: Number of bytes or parts of characters that are not.
    """

    def __init__(self, white: bytes = b" \t\n\r\x0b\x0c", has_ascii: bool = True) -> None:
        self._has_ascii = has_ascii
        self._split = re.compile(b"[" + re.escape(white) + b"]+").split
        self._seen: Counter[int] = Counter()
        self._words: dict[bytes, None] = {}
        self._sound = 0
        self.ascii_words = self.english_words = 0
        self.sequences = self.bad = 0

    @property
    def words(self) -> list[bytes]:
        """The words, distinct and in order."""
        return list(self._words)

    def add(self, block: bytes) -> None:
        """Look through a part of a file that begins and ends between two words."""
        for word, count in Counter(self._split(block)).items():
            if self._has_ascii and word.isascii():
                self.ascii_words += count * any(byte >= 65 for byte in word[:3])
                self.english_words += count * (word.lower() in _ENGLISH)
            elif word:
                self._add(word)

    def _add(self, word: bytes) -> None:
        if self._has_ascii and self._is_sound(word):
            self._sound += 1
            if self._sound > _WORDS // 4:  # they say little: every reading of mixed text has them
                return
        word = _cut(word)
        strange = {byte for byte in word if byte >= 0x80 or not self._has_ascii}
        if len(self._words) < _WORDS or any(self._seen[byte] < _SEEN for byte in strange):
            self._words[word] = None
            self._seen.update(strange)

    def _is_sound(self, word: bytes) -> bool:
        """Count what is UTF-8 in a word and what is not; true when all of it is."""
        text = word.decode("utf-8", "replace")
        bad = text.count("\ufffd")
        self.bad += bad
        self.sequences += sum(char > "\x7f" for char in text) - bad
        return not bad


def _cut(word: bytes) -> bytes:
    """Cut a long word to the part around its first byte that is not UTF-8, or to its beginning."""
    if len(word) <= WORD_BYTES:
        return word
    start = 0
    try:
        word.decode("utf-8")
    except UnicodeDecodeError as error:
        start = max(0, error.start - WORD_BYTES // 2)
        while start and 0x80 <= word[start] < 0xC0:  # all before it is UTF-8: begin with a whole character
            start -= 1
    return word[start : start + WORD_BYTES]
