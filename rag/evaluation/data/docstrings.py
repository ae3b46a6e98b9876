"""What a piece of code says about itself, and the code without it."""

from __future__ import annotations

import ast
import re
import textwrap

_BLOCK = re.compile(r"\A/\*(?P<said>.*?)\*/", re.DOTALL)
_LINES = re.compile(r"\A(?P<said>(?:[ \t]*(?://|#(?!!|include|define|if))[^\n]*(?:\n|\Z))+)")
_MARKS = re.compile(r"^[ \t]*(?://[/!]?|#+|\*+)[ \t]?", re.MULTILINE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])|\n\s*\n|\n\s*(?:@\w+|:\w+|Args:|Returns:|Raises:|Parameters\b)")


def split_docstring(code: str) -> tuple[str, str]:
    """The first sentence of the description, and the code without the description.

    A Python docstring, or a comment above the code in any language.

    Returns:
        Two empty strings when there is none.
    """
    found = _python(code) or _comment(code)
    if found is None:
        return "", ""
    said, rest = found
    return " ".join(_SENTENCE_END.split(said.strip(), maxsplit=1)[0].split()), rest


def _python(code: str) -> tuple[str, str] | None:
    source = textwrap.dedent(code)
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    node = tree.body[0] if tree.body else None
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return None
    first = node.body[0]
    said = ast.get_docstring(node)
    if not said or first.end_lineno is None:
        return None
    lines = source.splitlines(keepends=True)
    return said, "".join(lines[: first.lineno - 1] + lines[first.end_lineno :])


def _comment(code: str) -> tuple[str, str] | None:
    source = textwrap.dedent(code).lstrip()
    found = _BLOCK.match(source) or _LINES.match(source)
    if found is None:
        return None
    return _MARKS.sub("", found["said"]), source[found.end() :].strip("\n")
