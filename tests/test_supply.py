"""What the app is built from: exact versions, licences, and weights that are what they should be."""

import re

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from docs.supply import CONSTRAINTS, LICENCES, ROOT, licence, named, needed

PINNED = {
    canonicalize_name(name): Version(version)
    for name, _, version in (
        line.partition("==") for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines() if "==" in line
    )
}


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_has_an_exact_version_within_its_range(file):
    for requirement in named(ROOT / file):
        version = PINNED[canonicalize_name(requirement.name)]
        assert version in requirement.specifier, f"{requirement} is pinned to {version}: run python -m docs.supply"


def test_torch_is_one_version_whatever_the_build():
    assert str(PINNED["torch"]) == "2.13.0"


def test_the_closure_holds_what_a_requirement_needs_itself():
    assert {"langchain-core", "tornado", "certifi"} & needed(ROOT / "requirements.txt").keys()


def test_every_requirement_has_its_licence_on_the_page():
    page = {canonicalize_name(name) for name in re.findall(r"^\| (\S+) \| \d", LICENCES.read_text(), re.MULTILINE)}
    assert {canonicalize_name(requirement.name) for requirement in named(ROOT / "requirements.txt")} <= page


def test_a_licence_is_a_name_and_no_text():
    assert all(0 < len(licence(package)) <= 200 for package in needed(ROOT / "requirements.txt").values())
