"""Code search: a sentence finds the function, class or block that does what it says."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Sequence

from rag.answering.citations import quoted
from rag.answering.quoting import source_name
from rag.chunking import by_symbol
from rag.tasks.corpus import CorpusJudgments, Passage, Record, count_words, first_words
from rag.tasks.spec import Mix, PromptMode, Signal, TaskSpec
from rag.types import Chunking, Hit, Likeness

_BLOCK_COMMENT = re.compile(r"\A/\*(?P<description>.*?)\*/", re.DOTALL)
_LINE_COMMENTS = re.compile(r"\A(?P<description>(?:[ \t]*(?://|#(?!!|include|define|if))[^\n]*(?:\n|\Z))+)")
_COMMENT_MARKS = re.compile(r"^[ \t]*(?://[/!]?|#+|\*+)[ \t]?", re.MULTILINE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])|\n\s*\n|\n\s*(?:@\w+|:\w+|Args:|Returns:|Raises:|Parameters\b)")
_LISTED = 3
_SHOWN_LINES = 12
_LONGEST_QUESTION_WORDS = 200


def quote_code(question: str, hits: Sequence[Hit], likeness: Likeness | None) -> list[str]:
    """List symbol, file and lines of the first hits, and show the beginning of the best one."""
    del question, likeness
    lines: list[str] = []
    for hit in hits[:_LISTED]:
        chunk = hit.payload.chunk
        symbol = f"{quoted(chunk.symbol)} in " if chunk.symbol else ""
        span = f", lines {chunk.line_start}-{chunk.line_end}" if chunk.line_start is not None else ""
        lines.append(f"{symbol}{source_name(hit)}{span} [{hit.rank}]")
        if hit is hits[0]:
            lines += [*_fenced(chunk.text, hit.payload.language), ""]
    return lines


def _fenced(text: str, language: str) -> list[str]:
    """A Markdown code block; its fence is longer than any run of backticks inside."""
    body = text.split("\n")
    excerpt = [*body[:_SHOWN_LINES], *(["…"] if len(body) > _SHOWN_LINES else [])]
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence + re.sub(r"\W", "", language), *excerpt, fence]


def judge_docstrings(passages: Sequence[Passage]) -> CorpusJudgments:
    """Ask with each docstring for the code that it was taken out of."""
    records, questions, rows = {}, {}, {}
    for passage in passages:
        description, code = split_docstring(passage.text)
        records[passage.id] = Record(passage.id, "", code or passage.text)
        if count_words(description) >= 3 and count_words(code) >= 8:
            questions[f"c-{passage.id}"] = first_words(description, _LONGEST_QUESTION_WORDS)
            rows[f"c-{passage.id}", passage.id] = 1
    return CorpusJudgments(
        records, questions, rows, "each question is a docstring, and the code it was taken out of is relevant."
    )


def split_docstring(code: str) -> tuple[str, str]:
    """Split code into the first sentence of its description and the code without the description.

    A description is a Python docstring, or a comment above the code in any language.

    Returns:
        Two empty strings when there is none.
    """
    parts = _split_python(code) or _split_comment(code)
    if parts is None:
        return "", ""
    description, rest = parts
    return " ".join(_SENTENCE_END.split(description.strip(), maxsplit=1)[0].split()), rest


def _split_python(code: str) -> tuple[str, str] | None:
    source = textwrap.dedent(code)
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    node = tree.body[0] if tree.body else None
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return None
    first = node.body[0]
    docstring = ast.get_docstring(node)
    if not docstring or first.end_lineno is None:
        return None
    lines = source.splitlines(keepends=True)
    return docstring, "".join(lines[: first.lineno - 1] + lines[first.end_lineno :])


def _split_comment(code: str) -> tuple[str, str] | None:
    source = textwrap.dedent(code).lstrip()
    match = _BLOCK_COMMENT.match(source) or _LINE_COMMENTS.match(source)
    if match is None:
        return None
    return _COMMENT_MARKS.sub("", match["description"]), source[match.end() :].strip("\n")


TASK = TaskSpec(
    name="code",
    title="Code search",
    query_is="a sentence in natural language",
    document_is="a function, class or block",
    gives="code with file and lines",
    examples=("dew point from temperature and humidity",),
    instruction="Given a description of what code does, retrieve code that does it",
    prompts=PromptMode.QUERY_PASSAGE,
    chunking=Chunking("syntax", tokens=384, overlap=0, cut=by_symbol),
    mix=Mix(dense_weight=0.85, centred=True, analyser="code"),
    signals=(Signal(0.65, second=True),),
    wording="You are given a description of code and pieces of source code. Name the file, the lines and the symbol "
    "that do it, quote the lines that matter in a code block, and explain them in a sentence.",
    quote=quote_code,
    judge=judge_docstrings,
    needs="that needs functions with docstrings or comments above them.",
    sample=("code/**/*.py", "code/**/*.js"),
    open_sources=2,
    order=4,
)
