"""Find where functions, classes and methods begin in source code, by its syntax tree.

The node types of nine grammars share a few roles, which the sets below name: definitions of one piece, containers whose
members are pieces too, wrappers around a definition, and transparent nodes whose children count as if they stood alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Language, Node

_GRAMMARS = {
    "python": ("tree_sitter_python", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
    "java": ("tree_sitter_java", "language"),
    "go": ("tree_sitter_go", "language"),
    "rust": ("tree_sitter_rust", "language"),
    "c": ("tree_sitter_c", "language"),
    "cpp": ("tree_sitter_cpp", "language"),
}
_FUNCTIONS = frozenset({
    "function_definition", "function_declaration", "generator_function_declaration", "method_definition",
    "method_declaration", "constructor_declaration", "compact_constructor_declaration", "function_item",
    "function_signature_item", "macro_definition", "type_declaration", "type_alias_declaration", "type_item",
    "enum_declaration", "enum_item", "struct_item", "union_item", "struct_specifier", "enum_specifier",
    "union_specifier", "type_definition", "preproc_function_def", "abstract_method_signature",
})  # fmt: skip
_CONTAINERS = frozenset({
    "class_definition", "class_declaration", "abstract_class_declaration", "interface_declaration",
    "record_declaration", "annotation_type_declaration", "class_specifier", "namespace_definition", "impl_item",
    "trait_item", "mod_item", "internal_module", "module", "struct_specifier", "enum_declaration",
})  # fmt: skip
_WRAPPERS = frozenset({
    "decorated_definition", "export_statement", "template_declaration", "ambient_declaration", "linkage_specification",
    "lexical_declaration", "variable_declaration", "variable_declarator", "expression_statement",
    "public_field_definition", "field_definition",
})  # fmt: skip
_SPECIFIERS = frozenset({"struct_specifier", "enum_specifier", "union_specifier", "class_specifier"})
_TRANSPARENT = frozenset({"preproc_ifdef", "preproc_if", "preproc_else", "declaration_list", "enum_body_declarations"})
_VALUES = frozenset({"arrow_function", "function_expression", "function", "generator_function", "class"})
_LEADING = frozenset({"comment", "line_comment", "block_comment", "attribute_item", "decorator", "marker_annotation"})
_MAX_DEPTH = 20


@dataclass(frozen=True, slots=True)
class Boundary:
    """The first byte of a piece of source, and the function or class it belongs to, or empty."""

    byte: int
    symbol: str


def boundaries(source: bytes, grammar: str) -> list[Boundary]:
    """Find where the pieces of a source begin, in order; the first is at byte 0.

    Args:
        source: UTF-8.
        grammar: A key of the grammars: a language, or `tsx`.
    """
    from tree_sitter import Parser

    root = Parser(_language(grammar)).parse(source).root_node
    symbols = {0: ""}
    for boundary in _pieces(root, "", True, source, 0):
        symbols[boundary.byte] = boundary.symbol
    return [Boundary(byte, symbol) for byte, symbol in sorted(symbols.items())]


@cache
def _language(grammar: str) -> Language:
    from tree_sitter import Language

    module, function = _GRAMMARS[grammar]
    build: Callable[[], object] = getattr(import_module(module), function)
    return Language(build())


def _pieces(parent: Node, prefix: str, in_block: bool, source: bytes, depth: int) -> Iterator[Boundary]:
    """Yield the boundaries below a node: one a definition, with the comments on it, and one a run of anything else.

    Args:
        parent: Node whose children are walked.
        prefix: Symbol of the definition around them, or empty.
        in_block: True when a run of other statements has begun, so that the next one belongs to it.
        source: The whole source.
        depth: Nesting so far; definitions deeper than `_MAX_DEPTH` stay in one piece.
    """
    leading: int | None = None  # first byte of the comments and decorators that wait for their definition
    previous_end = parent.start_byte
    for child in parent.children:
        if not child.is_named:
            continue
        same_line = b"\n" not in source[previous_end : child.start_byte] and previous_end > 0
        detached = b"\n\n" in source[previous_end : child.start_byte].replace(b" ", b"").replace(b"\t", b"")
        if leading is not None and detached:
            # A blank line below a comment makes it a statement of its own, not a comment on what follows.
            if not in_block:
                yield Boundary(leading, prefix)
                in_block = True
            leading = None
        previous_end = child.end_byte
        if child.type in _LEADING:
            # A comment at the end of a line belongs to that line.
            leading = child.start_byte if leading is None and not same_line else leading
            continue
        start = child.start_byte if leading is None else leading
        leading = None
        definition = _definition(child, depth)
        if child.type in _TRANSPARENT and depth < _MAX_DEPTH:
            yield from _pieces(child, prefix, in_block, source, depth + 1)
        elif definition is not None:
            symbol = _symbol(definition, prefix)
            yield Boundary(start, symbol)
            yield from _members(definition, symbol, source, depth)
            in_block = False
        elif not in_block:
            yield Boundary(start, prefix)
            in_block = True


def _members(definition: Node, symbol: str, source: bytes, depth: int) -> Iterator[Boundary]:
    body = definition.child_by_field_name("body")
    if definition.type in _CONTAINERS | _VALUES and body is not None and depth < _MAX_DEPTH:
        yield from _pieces(body, symbol, True, source, depth + 1)


def _definition(node: Node, depth: int) -> Node | None:
    """Return the function, type or class that a node is or wraps, or None."""
    if node.type in _FUNCTIONS or node.type in _CONTAINERS:
        # `struct point p;` only names a type; `struct point { ... };` defines it.
        only_named = node.type in _SPECIFIERS and node.child_by_field_name("body") is None
        return None if only_named else node
    if node.type in _WRAPPERS and depth < _MAX_DEPTH:
        for child in reversed(node.named_children):
            if child.type in _VALUES:
                return node if node.type != "expression_statement" else None
            if (inner := _definition(child, depth + 1)) is not None:
                return inner
    return None


def _symbol(node: Node, prefix: str) -> str:
    name = _name(node)
    if node.type == "method_declaration" and (receiver := node.child_by_field_name("receiver")) is not None:
        name = f"{_receiver(receiver)}.{name}"
    return ".".join(part for part in (prefix, name) if part)


def _name(node: Node) -> str:
    if (named := node.child_by_field_name("name")) is not None:
        return _text(named)
    declarator = node.child_by_field_name("declarator")  # C: the name is inside pointers, arrays and parameters
    while declarator is not None and (inner := declarator.child_by_field_name("declarator")) is not None:
        declarator = inner
    if declarator is not None:
        return _text(declarator)
    for field in ("property", "type"):
        if (named := node.child_by_field_name(field)) is not None:
            return _text(named)
    return next((_name(child) for child in node.named_children if child.child_by_field_name("name") is not None), "")


def _receiver(node: Node) -> str:
    """Return the type of a Go method's receiver: `Server` of `(s *Server)`."""
    return _text(node).strip("()").split()[-1].lstrip("*").partition("[")[0] if _text(node).strip("() ") else ""


def _text(node: Node) -> str:
    text = node.text or b""
    return " ".join(text.decode("utf-8", "replace").split())[:100]
