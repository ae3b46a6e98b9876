"""The terms that an index knows, and a question read by them: slips of the keyboard, compounds, codes.

A question is matched with the words of the passages as people type it. Only the question is changed: what an index
stores stays what it is.
"""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rag.retrieval.analyser import Word, question_terms, stem_words, words_of
from rag.retrieval.common import common_stems
from rag.retrieval.function_words import FUNCTION_WORDS, STEMMED

_SHORTEST = 4
"""Letters of the shortest word that is corrected: shorter ones are near to too many."""
_LONG = 8
"""Letters from which on a word may have two slips."""
_LONGEST = 40
"""Letters of a word that is looked at: the work grows with their square, and no slip makes a word of more."""
_CHOICES = 3
"""Terms that stand in for one unknown word, at most."""
_ALIKE = 0.92
"""Jaro-Winkler similarity of long words that are taken for one another beyond two slips."""
_ALIKE_START = 3
"""Letters that such words begin with alike."""
_LONGEST_QUESTION = 64
"""Words of a question that a person types. A longer text is matched as it is: a document has words enough."""
_PAIRED = 100_000
"""Passages whose neighbouring terms are kept: 12 bytes for each different pair."""
_USUAL = 0.1
"""How often a word is written the other way, together or apart, at least, to each time that it is written this way:
rarer ones are mostly broken by the end of a line."""
_BLOCK = 4096
"""Passages that are counted at once."""
_PARTICLES = frozenset(["up", "in", "on", "out", "off", "down", "over"])
"""Function words that are the end of a word: back up, log in."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_RUN = re.compile(r"(?<![^\W_])[^\W_]{1,40}(?:[-_.][^\W_]{1,40}){2,3}")
"""Three or four parts with marks between. It begins where a word does: elsewhere a long word would take its square."""
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")


@dataclass(frozen=True, slots=True)
class Wording:
    """A question in the terms of an index.

    Attributes:
        terms: In order, with repeats, a slip corrected to the nearest term.
        searched: What BM25 searches for: these, and what else the question may mean.
        matched: Share of the question's weight, by inverse document frequency, that the index knows, in [0, 1].
    """

    terms: tuple[str, ...]
    searched: tuple[str, ...]
    matched: float = 1.0


class Vocabulary:
    """Terms of the passages of an index.

    Args:
        passages: The terms of each passage, between blanks.
    """

    def __init__(self, passages: Iterable[str]) -> None:
        self._rows: dict[str, int] = {}
        self.passages = 0
        counts: list[NDArray[np.int64]] = []
        pairs: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        for block in _blocks(passages):
            codes = self._coded(block)
            if self.passages < _PAIRED:
                pairs.append(_pairs(codes))
            counts.append(_frequencies(codes))
            self.passages += len(block)
        self._counts = np.zeros(len(self._rows), np.int64)
        for each in counts:
            self._counts[: len(each)] += each
        self._pairs, self._pair_counts = _added(pairs)
        self._common = common_stems()
        self._by_length: dict[int, list[str]] = {}
        for term in self._rows:
            if len(term) >= _SHORTEST - 1 and term.isalpha():
                self._by_length.setdefault(len(term), []).append(term)

    def __contains__(self, term: str) -> bool:
        return term in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def frequency(self, term: str) -> int:
        """Return how many passages have a term."""
        row = self._rows.get(term)
        return 0 if row is None else int(self._counts[row])

    def weight(self, term: str) -> float:
        """Return the inverse document frequency of a term, as BM25 has it; most for a term that no passage has."""
        count = self.frequency(term)
        return math.log1p((self.passages - count + 0.5) / (count + 0.5))

    def beside(self, first: str, second: str) -> int:
        """Return how often one term stands right before the other."""
        left, right = self._rows.get(first), self._rows.get(second)
        if left is None or right is None:
            return 0
        pair = (left << 32) | right
        place = int(np.searchsorted(self._pairs, pair))
        return int(self._pair_counts[place]) if place < len(self._pairs) and self._pairs[place] == pair else 0

    def read(self, question: str, analyser: str, spoken: str = "") -> Wording:
        """Return the question in the terms that the passages have.

        A term that is unknown is replaced by the parts that passages write apart, or else by the nearest terms; words
        that passages write as one are searched for as one, too. What is known stays.
        """
        words = words_of(question, analyser, spoken)
        if analyser == "prose":
            words = [self._in_the_languages_here(word) for word in words]
        terms = [term for word in words for term in word.terms]
        if len(words) > _LONGEST_QUESTION or not self.passages:
            return Wording(tuple(terms), question_terms(terms, analyser))
        joined = self._joined(question, words) if analyser == "prose" else {}
        covered = {row for rows in joined.values() for row in rows}
        read: list[str] = []
        further: list[str] = list(joined)
        known = total = 0.0
        for row, word in enumerate(words):
            for term in word.terms:
                parts = self.parts(word, term) if word.terms == (term,) else ()
                choices = [] if term in self or parts or row in covered else self.nearest(word.text, term)
                if term in self:
                    read.append(term)
                    further += parts
                else:
                    read += parts or choices[:1] or [term]
                    further += choices[1:]
                best = parts[0] if parts and term not in self else choices[0] if choices else term
                is_known = best in self or row in covered
                total += self.weight(best)
                known += self.weight(best) if is_known else 0.0
        present = set(read)
        searched = [*question_terms(read, analyser), *(t for t in dict.fromkeys(further) if t not in present)]
        return Wording(tuple(read), tuple(searched), known / total if total else 1.0)

    def _in_the_languages_here(self, word: Word) -> Word:
        """The word with the stem of another language, when the index knows that one and not its own.

        Few words do not say which language they are in.
        """
        if len(word.terms) != 1 or word.terms[0] in self:
            return word
        if any(word.text in words for words in FUNCTION_WORDS.values()):
            return replace(word, terms=())
        if word.terms[0] in self._common or not _SHORTEST <= len(word.text) <= _LONGEST:
            return word
        others = (stem_words([word.text], language)[0] for language in STEMMED)
        return replace(word, terms=(next((term for term in others if term in self), word.terms[0]),))

    def parts(self, word: Word, term: str) -> tuple[str, ...]:
        """Return the terms of a word as passages write it apart, such as `box` and `plot`; none when few do.

        Args:
            word: As it is typed.
            term: Its stem.
        """
        least = max(1.0, _USUAL * self.frequency(term))
        pieces = _PARTS.findall(word.written)
        if len(pieces) > 1:
            split = tuple(stem_words([piece.lower() for piece in pieces]))
            if all(self.beside(*pair) >= least for pair in pairwise(split)):
                return split
        text = word.text
        if not _SHORTEST <= len(text) <= _LONGEST:
            return ()
        cuts = range(1, len(text) - 1)
        lefts, rights = stem_words([text[:cut] for cut in cuts]), stem_words([text[cut:] for cut in cuts])
        splits = {pair: self.beside(*pair) for pair in zip(lefts, rights, strict=True)}
        best = max(splits, key=splits.__getitem__, default=())
        return best if best and splits[best] >= least else ()

    def nearest(self, word: str, term: str) -> list[str]:
        """Return known terms that an unknown word may mean, the nearest first and then the most frequent.

        Args:
            word: As it is typed; a slip in an ending hides the stem.
            term: Its stem.
        """
        if not _SHORTEST <= len(word) <= _LONGEST or not word.isalpha() or term in self._common:
            return []
        distances = dict.fromkeys((each for each in stem_words(_slips(word)) if each in self and len(each) > 2), 1)
        if len(word) >= _LONG:
            distances |= {each: 2 for each in self._within(term, 2) if each not in distances}
        else:
            distances |= dict.fromkeys(self._within(term, 1), 1)
        if not distances and len(word) >= _LONG:
            distances = dict.fromkeys(self._alike(term), 3)
        least = min(distances.values(), default=0)
        best = [each for each, distance in distances.items() if distance == least]
        return sorted(best, key=lambda each: (each[0] != word[0], -self.frequency(each), each))[:_CHOICES]

    def _within(self, term: str, distance: int) -> list[str]:
        from rapidfuzz.distance import OSA
        from rapidfuzz.process import extract

        lengths = range(len(term) - distance, len(term) + distance + 1)
        choices = [each for length in lengths for each in self._by_length.get(length, ())]
        return [each for each, _, _ in extract(term, choices, scorer=OSA.distance, score_cutoff=distance, limit=None)]

    def _alike(self, term: str) -> list[str]:
        """Terms that begin alike and have most letters in the same order."""
        from rapidfuzz.distance import JaroWinkler
        from rapidfuzz.process import extract

        start = term[:_ALIKE_START]
        lengths = range(max(_LONG - 1, len(term) - 4), len(term) + 5)
        choices = [each for n in lengths for each in self._by_length.get(n, ()) if each.startswith(start)]
        matches = extract(term, choices, scorer=JaroWinkler.similarity, score_cutoff=_ALIKE, limit=1)
        return [each for each, _, _ in matches]

    def _joined(self, question: str, words: Sequence[Word]) -> dict[str, tuple[int, ...]]:
        """Terms that passages write as one, of neighbours in the question, with the places of these words."""
        joined: dict[str, tuple[int, ...]] = {}
        for row, (first, second) in enumerate(pairwise(words)):
            is_hyphenated = f"{first.written}-{second.written}" in question
            if is_hyphenated or (first.terms and (second.terms or second.text in _PARTICLES)):
                (term,) = stem_words([(first.text + second.text)[:_LONGEST]])
                apart = self.beside(*first.terms[-1:], *second.terms[:1]) if first.terms and second.terms else 0
                if len(first.text + second.text) >= _SHORTEST and self.frequency(term) >= max(1.0, _USUAL * apart):
                    joined.setdefault(term, (row, row + 1))
        for match in _RUN.finditer(question):
            pieces = words_of(match.group(), "prose")
            (term,) = stem_words(["".join(piece.text for piece in pieces)[:_LONGEST]])
            if term in self:
                texts = {piece.text for piece in pieces}
                joined[term] = tuple(row for row, word in enumerate(words) if word.text in texts)
        return joined

    def _coded(self, passages: Sequence[str]) -> NDArray[np.int64]:
        """Rows of all terms of the passages, one passage after the other, -1 behind each."""
        codes = array("q")
        rows = self._rows
        for passage in passages:
            codes.extend([rows.setdefault(term, len(rows)) for term in passage.split()])
            codes.append(-1)
        return np.frombuffer(codes, np.int64)


def _blocks(passages: Iterable[str]) -> Iterator[list[str]]:
    block: list[str] = []
    for passage in passages:
        block.append(passage)
        if len(block) == _BLOCK:
            yield block
            block = []
    if block:
        yield block


def _pairs(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Neighbours and how often each pair is there."""
    left, right = codes[:-1], codes[1:]
    inside = (left >= 0) & (right >= 0)
    return np.unique((left[inside] << 32) | right[inside], return_counts=True)


def _added(
    blocks: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Sorted pairs of several blocks, and their counts together."""
    if not blocks:
        return np.zeros(0, np.int64), np.zeros(0, np.int32)
    pairs, places = np.unique(np.concatenate([pairs for pairs, _ in blocks]), return_inverse=True)
    counts = np.bincount(places, weights=np.concatenate([counts for _, counts in blocks]))
    return pairs, counts.astype(np.int32)


def _frequencies(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Passages that have each term, shape (terms so far,)."""
    passage = np.cumsum(codes < 0)
    terms = codes >= 0
    return np.bincount(np.unique((passage[terms] << 32) | codes[terms]) & 0xFFFFFFFF)


def _slips(word: str) -> list[str]:
    """All words that one slip of the keyboard turns into this one: a letter too many, too few, wrong or swapped."""
    cuts = [(word[:cut], word[cut:]) for cut in range(len(word) + 1)]
    slips = [left + right[1:] for left, right in cuts if right]
    slips += [left + right[1] + right[0] + right[2:] for left, right in cuts if len(right) > 1]
    slips += [left + letter + right[1:] for left, right in cuts if right for letter in _LETTERS]
    slips += [left + letter + right for left, right in cuts for letter in _LETTERS]
    return slips
