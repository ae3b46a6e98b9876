"""The layers of docs/design.md, read off the syntax trees: nothing imports upward, vendors stay in their corner."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LAYERS = (
    {"types", "errors", "discovery", "endpoints", "pacing", "redaction", "turns", "disk", "files"}
    | {"text", "language", "settings", "models", "tasks", "serialise"},
    {"loaders", "chunking", "embedding", "index", "catalog"},
    {"recipes", "retrieval"},
    {"jobs"},
    {"ingest", "answering", "evaluation", "maintenance", "parts"},
    {"status", "services"},
    {"logs", "render", "cli", "__init__", "__main__"},
)
"""Rooms of `rag/`, the lowest first. A module may import its own layer and those below."""
ENTRIES = {
    "rag.tasks": "TASK",
    "rag.models": "FAMILY",
    "rag.loaders.readers": "FORMAT",
    "rag.index.engines": "ENGINE",
    "rag.answering.answerers": "ANSWERER",
}
"""Packages whose modules are discovered, by the name that makes a module an entry. Nobody imports an entry by name."""
TASK_LAYER = next(level for level, rooms in enumerate(LAYERS) if "evaluation" in rooms)
"""A task's own file holds all that is the task's, so it may use every flow; the rooms know its spec alone."""
CORNERS = {
    "streamlit": set[str](),
    "qdrant_client": {"rag/index/"},
    "qdrant_edge": {"rag/index/"},
    "sentence_transformers": {"rag/embedding/", "rag/retrieval/reranking.py"},
    "openvino": {"rag/embedding/"},
    "torch": {"rag/embedding/"},
    "langchain_community": set[str](),
    "alembic": {"rag/catalog/migrations/"},
    "langchain_openai": set[str](),
    "openai": {"rag/endpoints.py", "rag/answering/chat_endpoint.py", "rag/embedding/endpoint.py"},
}
HEAVY = {*CORNERS, "openai", "pandas", "docx", "bs4"} - {"alembic"}  # only Alembic imports its migrations
MODULES = sorted((ROOT / "rag").rglob("*.py"))
PAGES = [ROOT / "app.py", *sorted((ROOT / "pages").rglob("*.py"))]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def entries() -> dict[str, str]:
    """The package of every entry, by the entry's dotted name."""
    by_name = {}
    for path in MODULES:
        package, _, _ = dotted(path).rpartition(".")
        mark = ENTRIES.get(package)
        if mark and mark in _assigned(ast.parse(path.read_text())):
            by_name[dotted(path)] = package
    return by_name


def _assigned(tree: ast.Module) -> set[str]:
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def layer(module: str) -> int:
    """Layer of a module of `rag`, by its dotted name."""
    if entries().get(module) == "rag.tasks":
        return TASK_LAYER
    room = module.split(".")[1] if "." in module else "__init__"
    return next(level for level, rooms in enumerate(LAYERS) if room in rooms)


def imports(tree: ast.AST, *, module_level: bool = False) -> Iterator[str]:
    """Dotted names that are imported; a name taken from a package is listed with its package in front as well."""
    nodes = _executed_on_import(tree) if module_level else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _executed_on_import(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from _executed_on_import(node)


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_no_module_imports_upward(path: Path) -> None:
    own = layer(dotted(path))
    for name in imports(ast.parse(path.read_text())):
        if name.startswith("rag."):
            assert layer(name) <= own, f"{relative(path)} imports {name}, which is a layer above it"


@pytest.mark.parametrize("path", [*MODULES, *PAGES], ids=relative)
def test_nobody_imports_an_entry_by_name(path: Path) -> None:
    named = entries().keys() & set(imports(ast.parse(path.read_text())))
    assert not named, f"{relative(path)} imports {sorted(named)}, which discovery finds"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_vendors_stay_in_their_corner(path: Path) -> None:
    for name in imports(ast.parse(path.read_text())):
        allowed = CORNERS.get(name.split(".")[0])
        inside = allowed is None or any(relative(path).startswith(corner) for corner in allowed)
        assert inside, f"{relative(path)} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_heavy_packages_are_imported_when_needed(path: Path) -> None:
    imported = {name.split(".")[0] for name in imports(ast.parse(path.read_text()), module_level=True)}
    assert not imported & HEAVY


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_only_settings_read_the_environment(path: Path) -> None:
    source = path.read_text()
    if path.name != "settings.py":
        assert "os.environ" not in source
        assert "getenv" not in source


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_pages_use_streamlit_rendering_and_public_names_only(path: Path) -> None:
    import rag

    for name in imports(ast.parse(path.read_text())):
        root, _, rest = name.partition(".")
        public = root == "rag" and (not rest or rest.split(".")[0] in {"render", *rag.__all__})
        middleware = name.startswith("starlette.middleware") and path.name == "app.py"
        assert public or middleware or root in {"streamlit", "pages"} or root in sys.stdlib_module_names, name


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_parts_of_pages_do_not_import_in_a_circle(path: Path) -> None:
    reached, frontier = set[str](), [dotted(path)]
    while frontier:
        for name in _page_imports(frontier.pop()):
            assert name != dotted(path), f"{relative(path)} imports itself by way of others"
            if name not in reached:
                reached.add(name)
                frontier.append(name)


@cache
def _page_imports(module: str) -> frozenset[str]:
    paths = {dotted(path): path for path in PAGES}
    return frozenset(paths.keys() & set(imports(ast.parse(paths[module].read_text())))) - {"pages.parts"}


def test_every_room_has_a_layer_and_every_layer_its_rooms() -> None:
    rooms = {dotted(path).split(".")[1] for path in MODULES if "." in dotted(path)} | {"__init__"}
    assert rooms == set().union(*LAYERS)
    assert set(ENTRIES.values()) == {"TASK", "FAMILY", "FORMAT", "ENGINE", "ANSWERER"}
    assert len(entries()) >= 5 * 2
