"""The layers of docs/design.md, read off the syntax tree: nothing imports upward, vendors stay in their corner."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LAYERS = (
    {"types", "errors", "discovery", "files", "text", "tasks", "models", "settings"},
    {"loaders", "chunking", "embedding", "index", "catalog"},
    {"retrieval"},
    {"jobs"},
    {"ingest", "answering", "evaluation", "parts", "services", "status"},
    {"cli", "render", "__main__", "__init__"},
)
CORNERS = {
    "streamlit": set[str](),
    "qdrant_client": {"rag/index/"},
    "qdrant_edge": {"rag/index/"},
    "sentence_transformers": {"rag/embedding/", "rag/retrieval/reranking.py"},
    "openvino": {"rag/embedding/"},
    "torch": {"rag/embedding/"},
    "langchain_community": set[str](),
    "alembic": {"rag/catalog/migrations/"},
    "langchain_openai": {"rag/answering/answerers/"},
}
HEAVY = {*CORNERS, "openai", "pandas", "docx", "bs4"} - {"alembic"}  # only Alembic imports its migrations
MODULES = sorted((ROOT / "rag").rglob("*.py"))


def layer(name: str) -> int:
    return next(level for level, names in enumerate(LAYERS) if name in names)


def top(path: Path) -> str:
    parts = path.relative_to(ROOT / "rag").with_suffix("").parts
    return parts[0]


def imports(tree: ast.AST, *, module_level: bool = False) -> Iterator[str]:
    nodes = _executed_on_import(tree) if module_level else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module == "rag":
                yield from (f"rag.{alias.name}" for alias in node.names)


def _executed_on_import(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from _executed_on_import(node)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_imports_upward(path: Path) -> None:
    own = layer(top(path))
    for name in imports(ast.parse(path.read_text())):
        if name.startswith("rag."):
            assert layer(name.split(".")[1]) <= own, f"{path.name} imports {name}, which is a layer above it"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_vendors_stay_in_their_corner(path: Path) -> None:
    relative = path.relative_to(ROOT).as_posix()
    for name in imports(ast.parse(path.read_text())):
        allowed = CORNERS.get(name.split(".")[0])
        assert allowed is None or any(relative.startswith(corner) for corner in allowed), f"{relative} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_heavy_packages_are_imported_when_needed(path: Path) -> None:
    found = {name.split(".")[0] for name in imports(ast.parse(path.read_text()), module_level=True)}
    assert not found & HEAVY


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_settings_read_the_environment(path: Path) -> None:
    source = path.read_text()
    if path.name != "settings.py":
        assert "os.environ" not in source
        assert "getenv" not in source


@pytest.mark.parametrize("path", [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))], ids=lambda path: path.name)
def test_pages_use_public_names_and_rendering_only(path: Path) -> None:
    for name in imports(ast.parse(path.read_text())):
        parts = name.split(".")
        assert parts[0] != "rag" or len(parts) == 1 or parts[1] == "render" or _is_public(parts[1]), name


def _is_public(name: str) -> bool:
    import rag

    return name in rag.__all__


def test_every_module_has_a_layer() -> None:
    for path in MODULES:
        layer(top(path))
