"""What a module in `rows/` defines as `ROW`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """What an attack gave, in words with numbers, and whether the target was met."""

    text: str
    held: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A promise and the attack on it.

    Attributes:
        name: One word, by which the command line picks it.
        promise: What people may rely on, one sentence.
        kept: How it is kept, one or two sentences.
        tests: Files of tests, or `file::test`, that fail when the promise is broken.
        target: The figure to reach, in words.
        measure: The attack: at most 25 s on two cores when called with False, and whole when called with True.
    """

    name: str
    promise: str
    kept: str
    tests: tuple[str, ...]
    target: str
    measure: Callable[[bool], Figure]
