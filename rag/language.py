"""Which natural language a text is in, when that is clear."""

from __future__ import annotations

import re
import threading
from functools import lru_cache
from typing import Any

ENGLISH = "en"
_LANGUAGES = (
    *("en", "de", "es", "fr", "it", "pt", "nl", "sv", "da", "no", "fi", "pl", "cs", "sk", "hu", "ro", "tr", "el"),
    *("ru", "uk", "bg", "sr", "hr", "ar", "he", "fa", "hi", "bn", "ta", "th", "vi", "id", "zh", "ja", "ko"),
)
"""Rarer ones are taken for one of these, or for none when they are near to none."""
_CLEAR = 0.7
"""Least probability of a language that counts as clear. Five words mostly reach it, two mostly do not."""
_QUESTION = 150
"""Characters of a text that may be told by its words: a longer one may quote another language."""
_READ = 600
"""Characters that are looked at."""
_WORDS = re.compile(r"[a-z']+")
_ENGLISH_ALONE = frozenset(
    {
        *("the", "what", "how", "which", "where", "when", "why", "who", "whose", "does", "did"),
        *("should", "could", "would", "this", "that", "these", "with", "from", "your", "my"),
    }
)
"""Frequent words that no other language with these letters has. Most English questions have one, and need no model."""
_lock = threading.Lock()


@lru_cache(maxsize=4096)
def language_of(text: str) -> str:
    """Return the ISO 639-1 code of a text's language; empty when it is not clear, as with names, numbers and code.

    Source:
        Lui and Baldwin 2012, langid.py, by `py3langid`, whose model is read when a text is first in doubt.
    """
    start = text[:_READ]
    if len(text) <= _QUESTION and start.isascii() and not _ENGLISH_ALONE.isdisjoint(_WORDS.findall(start.lower())):
        return ENGLISH
    if sum(map(str.isalpha, start)) < 0.5 * len(start):
        return ""
    language, probability = _identifier().rank(start)[0]
    return str(language) if float(probability) >= _CLEAR else ""


def _identifier() -> Any:
    with _lock:
        return _open_identifier()


@lru_cache(maxsize=1)
def _open_identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(_LANGUAGES))
    return identifier
