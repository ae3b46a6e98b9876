"""Every bench runs with what the requirements files name, on names that the product has."""

import ast
import importlib
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BENCHES = sorted((ROOT / "bench").glob("*.py"))
PROVIDERS = packages_distributions()
OURS = {"bench", "docs", "rag", "tests"}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def required(path: Path) -> Iterator[str]:
    """Distributions that a requirements file names, with those of the files it includes."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            yield from required(path.parent / line[3:].strip())
        elif match := re.match(r"[A-Za-z0-9][\w.-]*", line):
            yield canonical(match[0])


REQUIRED = frozenset(required(ROOT / "requirements-dev.txt"))


def imports(path: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(module, names taken from it) of every import, those inside functions included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module, f"{path.name}: relative import"
            yield node.module, tuple(alias.name for alias in node.names)


def test_requirements_files_are_read():
    assert {"numpy", "langchain-qdrant", "qdrant-client", "playwright"} <= REQUIRED


@pytest.mark.parametrize("path", BENCHES, ids=lambda path: path.name)
def test_what_a_bench_imports_is_in_a_requirements_file(path):
    packages = {module.partition(".")[0] for module, _ in imports(path)} - OURS - sys.stdlib_module_names
    for package in sorted(packages):
        providers = {canonical(name) for name in PROVIDERS.get(package, ())}
        assert providers & REQUIRED, (
            f"bench/{path.name} imports {package}, found in {sorted(providers) or 'nothing installed'}; "
            "name its distribution in requirements-dev.txt"
        )


@pytest.mark.parametrize("path", BENCHES, ids=lambda path: path.name)
def test_what_a_bench_takes_from_the_product_exists(path):
    for module, names in imports(path):
        if module.partition(".")[0] in OURS:
            loaded = importlib.import_module(module)
            for name in names:
                assert hasattr(loaded, name) or importlib.import_module(f"{module}.{name}"), f"{module} has no {name}"


@pytest.mark.parametrize("path", BENCHES, ids=lambda path: path.name)
def test_no_bench_reaches_into_an_object(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and re.match(r"_[^_]", node.attr):
            assert ast.unparse(node.value) in ("self", "super()"), f"line {node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize("path", BENCHES, ids=lambda path: path.name)
def test_no_bench_imports_a_private_name(path):
    for module, names in imports(path):
        assert not [name for name in names if re.match(r"_[^_]", name)], module
