"""Judged sets that need no download, made from what comes with Python: `manual()` and `library()`.

Each document has one question, which was cut out of it, so that no question stands word for word in its own document.
Finding it is easier than answering what people ask: good for comparing two precisions, not for claims about quality.
"""

from __future__ import annotations

import argparse
import ast
import pydoc_data.topics
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rag.tasks.code import split_docstring

Judged = Mapping[str, Mapping[str, int]]
SHORTEST = 200
"""Fewest characters of a document."""
QUESTION_WORDS = 5
"""Fewest words of a question."""
MOST = 800
"""Most documents of a set."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """Texts of documents and queries by id, and the grade by document id, by query id."""

    task: str
    documents: Mapping[str, str]
    queries: Mapping[str, str]
    judged: Judged


def manual() -> JudgedSet:
    """Paragraphs of Python's own manual, each asked for by its first sentence."""
    pairs = []
    for _, text in sorted(pydoc_data.topics.topics.items()):
        for paragraph in re.split(r"\n\s*\n(?=\S)", text):
            question, *rest = _SENTENCE.split(" ".join(paragraph.split()), maxsplit=1)
            pairs.append((question, "".join(rest)))
    return _judged("qa", iter(pairs))


def library() -> JudgedSet:
    """Functions of Python's standard library, each asked for by the first sentence of its docstring."""
    return _judged("code", _functions(Path(argparse.__file__).parent))


def _functions(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.glob("[a-z]*.py")):
        source = path.read_text(encoding="utf-8")
        lines = source.splitlines(keepends=True)
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef):
                yield split_docstring("".join(lines[node.lineno - 1 : node.end_lineno]))


def _judged(task: str, pairs: Iterator[tuple[str, str]]) -> JudgedSet:
    """Pairs of a question and its document, without those that are too short to tell apart."""
    long = [(q, text) for q, text in pairs if len(q.split()) >= QUESTION_WORDS and len(text) >= SHORTEST][:MOST]
    ids = [f"{number:04}" for number in range(len(long))]
    queries = {key: question for key, (question, _) in zip(ids, long, strict=True)}
    documents = {f"d{key}": text for key, (_, text) in zip(ids, long, strict=True)}
    return JudgedSet(task, documents, queries, {key: {f"d{key}": 1} for key in ids})
