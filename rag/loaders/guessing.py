"""Tell encodings apart by which of them makes the most probable text; certain, or refused."""

from __future__ import annotations

import codecs
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rag.errors import UndecodableFileError
from rag.loaders.charsets import DAMAGED, HANDICAPS, PAIRS, Encoding, readings_of_mixed
from rag.loaders.likelihood import log_likelihood, script
from rag.loaders.sampling import WORD_BYTES, Sample

ADVICE = "Save it as UTF-8 and upload it again."
_MARGIN, _MARGIN_A_WORD, _MARGIN_OF_WORD, _MARGIN_OF_BYTE = 6.0, 2.0, 9.0, 12.0
"""Nats by which the best reading must be more probable than another: at all, for each word in which they differ, when
that is a single word, and when the file has a single byte that is not ASCII."""
_DECLARED = 12.0
"""Nats in favour of the encoding that the file itself declares."""
_FOREIGN, _UNUSUAL = 3.0, 6.0
"""Nats against a letter of another script where most words are plain Latin, and against a character that is unusual in
Western languages where nearly all are, as in Dutch, or where the text is English."""
_FEW_UNUSUAL = 0.1
_ENGLISH_SHARE = 0.15
_USUAL = frozenset("ÄÖÜäöüßÀÂÇÈÉÊËÎÏÔÙÛŒÆàâçèéêëîïôùûœæÁÍÓÚÑáíóúñÃÕãõÅØåø¿¡‘’“”„‚«»–—…•·°²³¼½¾±×÷µ£€©®™§¶†‰´¨")
_PLAUSIBLE, _PLAUSIBLE_SHORT, _SHORT = 4.4, 5.0, 100
"""Nats a byte up to which a text is plausible, also a short one, and how many bytes are short."""
_PLAUSIBLE_PAIRS = 5.5
"""The same where most bytes are pairs, which hardly fit by chance."""
_FIRST = 12  # words by which most encodings are ruled out
_RULED_OUT = 60.0  # nats behind the best one
_HOLDERS = 3
_DECIPHERED = 36.0
"""Nats that a word list may gain when one of its letters is read as another."""
_LETTERS = "áéíóúýàèìòùâêîôûäëïöüåøæçñãõčšžřěůćęąłńśźżőűğışțăßāēīūėųđðþ"
_USUAL_SIGNS = frozenset("‘’“”„«»–—…•·°§")
_LONGEST_WORD, _STEM = 40, 5


@dataclass(frozen=True, slots=True)
class Reading:
    """A way to decode: the words in it, and their log probability less the handicap, in nats."""

    encoding: Encoding
    words: tuple[str, ...]
    score: float


def guess(
    sample: Sample, candidates: Mapping[Encoding, float], declared: str = "", *, strictly: bool = False
) -> Encoding:
    """Return the encoding of a sample of words.

    Args:
        sample: Words beyond ASCII.
        candidates: Encodings with their handicaps in nats.
        declared: Codec that the file names, or empty.
        strictly: Most encodings of this kind are not among the candidates, and they differ in few letters and signs.

    Raises:
        UndecodableFileError: No reading is plausible, or two are that differ.
    """
    handicaps = {**candidates, Encoding(declared): -_DECLARED} if declared else candidates
    readings = rank(sample, handicaps)
    if not readings:
        raise UndecodableFileError(f"The file is in no encoding that is known, or it is no text. {ADVICE}")
    best = readings[0]
    for other in readings[1:]:
        if best.score - other.score < _margin(best, other) or (strictly and _same_letters(best, other)):
            raise UndecodableFileError(
                f"The file's encoding cannot be told: it reads as {best.encoding.codec} and as "
                f"{other.encoding.codec}, with different text. {ADVICE}"
            )
    size = sum(map(len, sample.words)) + 2 * len(sample.words)
    limit = _PLAUSIBLE_SHORT if size < _SHORT else _PLAUSIBLE
    if best.encoding.codec in PAIRS:
        limit = _PLAUSIBLE_PAIRS
    nats = -(best.score + handicaps[best.encoding])
    certain = bool(declared) and best.encoding.codec == declared
    if nats > limit * size or (not certain and _improvable(best.words, strictly)):
        raise UndecodableFileError(f"The file is in no encoding that is known, or it is no text. {ADVICE}")
    return best.encoding


def _margin(best: Reading, other: Reading) -> float:
    """Return the nats between two readings from which the better one is certain."""
    differing = sum(one != another for one, another in zip(best.words, other.words, strict=True))
    if differing > 1:
        return max(_MARGIN, _MARGIN_A_WORD * differing)
    return _MARGIN_OF_WORD if sum(char > "\x7f" for word in best.words for char in word) > 1 else _MARGIN_OF_BYTE


def usual_candidates(sample: Sample) -> dict[Encoding, float]:
    """Return the encodings of a text that is not UTF-8 as a whole."""
    candidates = {Encoding(codec): handicap for codec, handicap in HANDICAPS.items()}
    if sample.sequences:
        candidates |= readings_of_mixed()
    # Text in another encoding hardly ever has valid sequences; many beside a few bad bytes are damaged UTF-8.
    if sample.sequences > 10 * sample.bad:
        candidates[DAMAGED] = 0.0
    return candidates


def rank(sample: Sample, handicaps: Mapping[Encoding, float]) -> list[Reading]:
    """Return the likeliest readings, best first, one for each text that the words can be."""
    by_words: dict[tuple[str, ...], Encoding] = {}
    for encoding, handicap in handicaps.items():
        words = _decoded(sample.words, encoding)
        if words and (words not in by_words or handicap < handicaps[by_words[words]]):
            by_words[words] = encoding
    count = len(sample.words)
    foreign = _FOREIGN * (sample.ascii_words > 3 * count)
    is_english = sample.english_words > _ENGLISH_SHARE * (sample.ascii_words + count)
    unusual = _UNUSUAL * (is_english or sample.ascii_words > max(8 * count, 7))
    first = [
        Reading(encoding, words, _score(words[:_FIRST], foreign, unusual) - handicaps[encoding])
        for words, encoding in by_words.items()
    ]
    best = max((reading.score for reading in first), default=0.0)
    readings = [
        Reading(r.encoding, r.words, r.score + _score(r.words[_FIRST:], foreign, unusual) - _strangers(r.words))
        for r in first
        if r.score > best - _RULED_OUT
    ]
    return sorted(readings, key=lambda reading: -reading.score)


def _score(words: Iterable[str], foreign: float, unusual: float) -> float:
    score = 0.0
    for word in words:
        score += log_likelihood(word)
        if (foreign or unusual) and not word.isascii():
            strange = [char for char in word if char > "\x7f" and char not in _USUAL]
            score -= unusual * len(strange) + foreign * sum(c.isalpha() and script(c) != "LATIN" for c in strange)
    return score


def _strangers(words: Iterable[str]) -> float:
    """Return nats against characters of a single word that are unusual where nearly all are usual in the West."""
    counts = Counter(char for word in words for char in set(word) if char > "\x7f")
    unusual = [count for char, count in counts.items() if char not in _USUAL]
    is_western = max(unusual, default=0) == 1 and len(unusual) < _FEW_UNUSUAL * counts.total()
    return _UNUSUAL * len(unusual) if is_western else 0.0


def _same_letters(first: Reading, second: Reading) -> bool:
    """True when two readings differ in signs alone, of which words say nothing."""
    pairs = zip("".join(first.words), "".join(second.words), strict=False)
    return not any(one != other and one.isalnum() and other.isalnum() for one, other in pairs)


def _decoded(words: Sequence[bytes], encoding: Encoding) -> tuple[str, ...]:
    """Decode words, each by itself; none when one cannot be. The last character of a long word may be cut."""
    make = codecs.getincrementaldecoder(encoding.codec)
    try:
        return tuple(make(encoding.errors).decode(word, len(word) < WORD_BYTES) for word in words)
    except UnicodeDecodeError:
        return ()


def _improvable(words: Sequence[str], strictly: bool) -> bool:
    """True when reading one character as another letter makes far better words: the encoding is one of the unknown."""
    containing: dict[str, dict[str, str]] = defaultdict(dict)
    for word in words:
        for char in set(word) if len(word) <= _LONGEST_WORD else ():
            # Capitals are mostly in words that are all capitals, of which the vocabulary has few.
            if not (char.isascii() or char.isupper() or script(char) not in ("", "LATIN") or char in _USUAL_SIGNS):
                stem = "".join(filter(str.isalpha, word))[:_STEM].lower()
                containing[char].setdefault(stem, word)
    least, limit = (1, _MARGIN) if strictly else (_HOLDERS, _DECIPHERED)
    return any(
        _gain(char, list(some.values())[:_HOLDERS]) > limit for char, some in containing.items() if len(some) >= least
    )


def _gain(char: str, words: Sequence[str]) -> float:
    """Return what the words gain, in nats, by the letter that is best in place of a character; each must gain."""
    before = [log_likelihood(word) for word in words]
    gains = ([log_likelihood(word.replace(char, letter)) for word in words] for letter in _LETTERS)
    return max(
        (sum(after) - sum(before) for after in gains if all(x > y for x, y in zip(after, before, strict=True))),
        default=0.0,
    )
