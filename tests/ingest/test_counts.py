"""A version is made visible only when the index really holds all of its chunks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rag.ingest import FileStatus
from rag.types import Point, Recipe
from tests.fakes_index import FakeEngine, FakeIndex
from tests.ingest.library import Library


class Forgetful(FakeIndex):
    """An index that says it wrote every point and keeps none whose text names a loss."""

    def upsert(self, points: Sequence[Point]) -> None:
        super().upsert([point for point in points if "loss" not in point.payload.chunk.text])


class ForgetfulEngine(FakeEngine):
    """Opens such indexes."""

    def open(self, recipe: Recipe) -> FakeIndex:
        index = super().open(recipe)
        index.__class__ = Forgetful
        return index


def test_a_file_whose_chunks_are_not_all_in_the_index_fails_alone(tmp_path: Path) -> None:
    library = Library(tmp_path, ForgetfulEngine())
    library.write("whole.md", "All of it is kept.")
    library.write("cut.md", "This one is a loss.")
    report = library.ingest()
    by_name = {outcome.name: outcome for outcome in report.outcomes}
    assert by_name["whole.md"].status is FileStatus.ADDED
    assert by_name["cut.md"].status is FileStatus.FAILED
    assert "lacks 1 of its 1 chunks" in by_name["cut.md"].reason
    assert [file.name for file in library.workspace.files("qa")] == ["whole.md"]
    assert [failure.name for failure in library.workspace.failures.list("qa")] == ["cut.md"]
