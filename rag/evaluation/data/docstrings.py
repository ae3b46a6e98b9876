"""The description inside a piece of code, and the code without it."""

from __future__ import annotations

import ast
import re
import textwrap

_BLOCK_COMMENT = re.compile(r"\A/\*(?P<description>.*?)\*/", re.DOTALL)
_LINE_COMMENTS = re.compile(r"\A(?P<description>(?:[ \t]*(?://|#(?!!|include|define|if))[^\n]*(?:\n|\Z))+)")
_COMMENT_MARKS = re.compile(r"^[ \t]*(?://[/!]?|#+|\*+)[ \t]?", re.MULTILINE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])|\n\s*\n|\n\s*(?:@\w+|:\w+|Args:|Returns:|Raises:|Parameters\b)")


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
