"""Text that a document shows right and stores wrong: fonts that do not say which letters their shapes are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from rag.loaders.likelihood import log_likelihood, script

_MANY = 0.1
"""Share of a document's characters from which garbled ones make the whole unfit."""
_FEWEST = 20  # characters of a page that is judged
_SIGNS = re.compile(r"[!\"#$%&'()*+,/:;<=>?@\[\\\]^`{}~]")
_MAX_SIGNS = 0.4
_MAX_ODD = 0.1
_WORD = re.compile(r"[^\W\d_]{3,}")
_WORDS, _LETTERS = 300, 60
_IMPLAUSIBLE = 5.2
"""Nats a letter from which words are none of any language; those of real texts have at most 4.6."""
_VOWELS = re.compile("[aeiouyà-æè-ïò-öø-ýÿ]", re.IGNORECASE)
_FEW_VOWELS = 0.28
_LATIN = re.compile("[a-zß-ÿ]", re.IGNORECASE)
_INNER_CAPITAL = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]")


def is_garbled(pages: Sequence[str]) -> bool:
    """True when a good part of a document's text is no text: controls, private characters, or words of no language."""
    total = sum(map(len, pages))
    bad = sum(len(page) for page in pages if len(page) >= _FEWEST and _is_odd(page))
    if bad > _MANY * total:
        return True
    # A word counts once: a list of parts repeats a few codes that are in no language.
    sample = list(dict.fromkeys(word for page in pages for word in _WORD.findall(page[:4000])))
    chosen = sample[:: max(1, len(sample) // _WORDS)]
    return _is_suspicious(" ".join(chosen)) and _is_implausible(chosen)


def _is_odd(page: str) -> bool:
    """True when characters that stand in no text, or signs, are many."""
    odd = sum(
        char == "\ufffd" or (unicodedata.category(char) in ("Cc", "Cn", "Co", "Cs") and not char.isspace())
        for char in page
    )
    return odd > _MAX_ODD * len(page) or len(_SIGNS.findall(page)) > _MAX_SIGNS * len(page)


def _is_suspicious(text: str) -> bool:
    """True when a closer look is due, which is dear: hardly any vowels, or capitals inside words."""
    letters = len(_LATIN.findall(text))
    if letters < _LETTERS:
        return False
    return len(_VOWELS.findall(text)) < _FEW_VOWELS * letters or len(_INNER_CAPITAL.findall(text)) > 0.02 * letters


def _is_implausible(words: Sequence[str]) -> bool:
    known = [word for word in words if script(word[0])]
    letters = sum(map(len, known))
    return letters >= _LETTERS and -sum(map(log_likelihood, known)) > _IMPLAUSIBLE * letters
