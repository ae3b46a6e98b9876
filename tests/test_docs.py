import re
from pathlib import Path

import pytest

from docs.generate import PAGES
from rag.settings import Settings, variable

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_current(name):
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == PAGES[name](), "run: python -m docs.generate"


@pytest.mark.parametrize(
    "page", sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]), ids=lambda page: page.name
)
def test_settings_named_in_docs_exist(page):
    known = {variable(field) for field in Settings.model_fields} | {"RAG_TEST_QDRANT_URL"}
    named = set(re.findall(r"\bRAG_[A-Z_]*[A-Z]\b", page.read_text(encoding="utf-8")))
    assert named <= known


@pytest.mark.parametrize(
    "page", sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]), ids=lambda page: page.name
)
def test_relative_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_test_that_the_trust_page_names_exists():
    text = (ROOT / "docs" / "trust.in.md").read_text(encoding="utf-8")
    rows = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "bench" / "trust" / "rows").glob("*.py"))
    files = set(re.findall(r"tests/[\w/]+\.py", text + rows))
    assert len(files) > 20
    for line in text.splitlines():
        file = ""
        for name, test in re.findall(r"(tests/[\w/]+\.py)?(?:::(test_\w+))?", line):
            file = name or file
            if test:
                assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), f"{file} has no {test}"
    for name in files:
        assert (ROOT / name).is_file(), f"{name} is missing"
