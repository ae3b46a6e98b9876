from __future__ import annotations

import uuid
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import RecipeMismatchError
from rag.index import collection_name, describe_difference, fingerprint, point_id
from rag.index.recipe import identity, recipe_from
from rag.types import FurtherVector, Recipe
from tests.build import RECIPE

FURTHER = FurtherVector("small-1a2b3c4d", "small", "1", "int8", "mean", 8, "", "")
OTHER = Recipe("faq", "m", "2", "int8", "cls", False, 32, "d: ", "q: ", "faq-entry", "v2", (FURTHER,))


def test_equal_recipes_have_equal_fingerprints() -> None:
    assert fingerprint(RECIPE) == fingerprint(replace(RECIPE))
    assert len(fingerprint(RECIPE)) == 64
    assert collection_name(RECIPE) == f"qa-{fingerprint(RECIPE)[:12]}"


@pytest.mark.parametrize("field", [field.name for field in fields(Recipe)])
def test_every_field_counts_and_is_named(field: str) -> None:
    changed = replace(RECIPE, **{field: getattr(OTHER, field)})
    assert fingerprint(changed) != fingerprint(RECIPE)
    difference = describe_difference(RECIPE, changed)
    if field == "further":
        assert difference == "further: nothing -> small-1a2b3c4d (int8)"
        assert describe_difference(changed, RECIPE) == "further: small-1a2b3c4d (int8) -> nothing"
        return
    assert difference == f"{field}: {getattr(RECIPE, field)!r} -> {getattr(OTHER, field)!r}"


def test_no_difference_is_no_text() -> None:
    assert describe_difference(RECIPE, RECIPE) == ""


def test_a_new_layout_is_another_index(monkeypatch: pytest.MonkeyPatch) -> None:
    before, stored = fingerprint(RECIPE), identity(RECIPE)
    monkeypatch.setattr("rag.index.recipe.LAYOUT", 99)
    assert fingerprint(RECIPE) != before
    assert "layout" in describe_difference(stored, RECIPE)


def test_a_stored_recipe_is_read_back() -> None:
    assert recipe_from(identity(OTHER)) == OTHER
    with pytest.raises(RecipeMismatchError, match=r"no query_prompt.*reindex"):
        recipe_from({key: value for key, value in identity(OTHER).items() if key != "query_prompt"})


@given(st.tuples(st.text(), st.text(), st.integers(0)), st.tuples(st.text(), st.text(), st.integers(0)))
def test_point_ids_are_uuids_and_differ_when_their_names_do(
    first: tuple[str, str, int], second: tuple[str, str, int]
) -> None:
    assert str(uuid.UUID(point_id(*first))) == point_id(*first)
    assert (point_id(*first) == point_id(*second)) == (first == second)
