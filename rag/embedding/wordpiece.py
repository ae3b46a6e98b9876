"""BERT's tokenizer of lower-cased text, with the ids of the published one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Encoding

_UNKNOWN = "[UNK]"
_SPECIAL = ["[PAD]", _UNKNOWN, "[CLS]", "[SEP]", "[MASK]"]
_SURROGATES = re.compile("[\ud800-\udfff]")


class WordPiece:
    """Text to the longest pieces of its words. Safe to call from many threads.

    Control characters are removed, accents stripped, Chinese characters and punctuation are words of their own. Names
    of special tokens in the text are these tokens, as in the published tokenizer.

    Args:
        vocabulary: A file of one piece a line, in id order.

    Source:
        Devlin et al. 2019, BERT, section 3; `tokenization.py` of google-research/bert.
    """

    def __init__(self, vocabulary: Path) -> None:
        from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

        self._tokenizer = Tokenizer(models.WordPiece.from_file(str(vocabulary), unk_token=_UNKNOWN))
        self._tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        self._tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        self._tokenizer.add_special_tokens(_SPECIAL)

    def encode(self, text: str) -> list[int]:
        """Return the ids of the text's pieces, without special tokens around them, uncut."""
        return self._cut(text).ids

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Return the spans `(start, end)` of the pieces in the text, in order."""
        return self._cut(text).offsets

    def _cut(self, text: str) -> Encoding:
        # Half of a surrogate pair cannot be handed over; a replacement character is as long, and removed as well.
        return self._tokenizer.encode(_SURROGATES.sub("\ufffd", text), add_special_tokens=False)
