"""A growing shard is sealed segment by segment, and nobody notices."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.index import collection_name
from rag.index.edge.build import build_shard
from rag.index.engines.embedded import EmbeddedEngine
from rag.types import Search
from tests.build import EVERYTHING, RECIPE, point, terms, unit

EACH = 2_000


def fill(index, first: int, count: int) -> None:
    numbers = range(first, first + count)
    texts = [f"red number {n} is {('even', 'odd')[n % 2]} {'and so on ' * (n % 37)}" for n in numbers]
    index.upsert(
        [
            point(text, document=f"d{n // 20}", version=f"v{n // 20}", ordinal=n % 20)
            for n, text in zip(numbers, texts, strict=True)
        ]
    )


def segments(folder: Path, shard: str = "shard") -> set[str]:
    return {path.name for path in (folder / collection_name(RECIPE) / shard / "segments").iterdir()}


def answers(index) -> tuple[object, ...]:
    """Ids by vector, scores by words: equal ones come in any order."""
    nearest = index.search([Search(EVERYTHING, 20, vector=unit(text)) for text in "abcdefgh"])
    (words,) = index.search([Search(EVERYTHING, 50, terms=terms("odd 4200"))])
    return [[hit.id for hit in hits] for hits in nearest], [round(hit.score, 4) for hit in words]


@pytest.mark.slow
def test_sealed_segments_answer_as_one_plain_segment_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = EmbeddedEngine(tmp_path / "plain").open(RECIPE)
    fill(plain, 0, 2 * EACH + 500)
    assert len(segments(tmp_path / "plain")) == 1

    monkeypatch.setattr("rag.index.edge.shard.SEAL_FROM", EACH)
    engine = EmbeddedEngine(tmp_path / "sealed")
    index = engine.open(RECIPE)
    for first in (0, EACH):
        fill(index, first, EACH)
    fill(index, 2 * EACH, 500)
    assert len(segments(tmp_path / "sealed")) == 3
    assert answers(index) == answers(plain)

    engine.close()
    index = engine.open(RECIPE)
    assert answers(index) == answers(plain)
    fill(index, 2 * EACH + 500, EACH - 500)
    assert len(segments(tmp_path / "sealed")) == 4, "what was not sealed before it was closed is counted again"


@pytest.mark.slow
def test_sealed_points_are_replaced_and_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.index.edge.shard.SEAL_FROM", EACH)
    engine = EmbeddedEngine(tmp_path)
    index = engine.open(RECIPE)
    fill(index, 0, EACH)
    assert len(segments(tmp_path)) == 2
    index.upsert([point("green", document="d0", version="v0", ordinal=5)])
    index.delete_versions([f"v{n}" for n in range(1, 60)])
    assert index.count() == EACH - 59 * 20
    hits = index.search([Search(EVERYTHING, 3, vector=unit("green"))])[0]
    assert hits[0].payload.chunk.text == "green"
    assert not any("number 5 " in hit.payload.chunk.text for hit in hits)
    assert "v1" not in index.versions()


@pytest.mark.slow
def test_what_comes_after_a_build_is_sealed_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.index.edge.shard.SEAL_FROM", EACH)
    engine = EmbeddedEngine(tmp_path, build=build_shard)
    index = engine.open(RECIPE)
    fill(index, 0, 2 * EACH)
    engine.build(RECIPE)
    shard = next(path.name for path in (tmp_path / collection_name(RECIPE)).glob("shard-*"))
    before = segments(tmp_path, shard)
    assert len(before) == 2, "the built one, and an empty one that grows"
    fill(index, 2 * EACH, EACH)
    after = segments(tmp_path, shard)
    assert len(after) == 3
    assert len(before & after) >= 1, "the built one was left alone"
    assert index.count() == 3 * EACH
