"""The plan of a batch: examples, and what holds for every batch."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from rag.catalog import FileRecord
from rag.ingest.items import Action, HashedFile, IngestItem, plan

NAMES = st.sampled_from(["a", "b", "c", "d"])
CONTENTS = st.sampled_from(["1", "2", "3", "4"])


def record(name: str, content: str) -> FileRecord:
    return FileRecord(f"file-{name}", "qa", name, f"version-{name}-{content}", content, 1, "c", 1, 1, 0.0)


def batch(*files: tuple[str, str]) -> list[HashedFile]:
    return [HashedFile(IngestItem(Path(name), name), content, 1) for name, content in files]


def actions(files: list[tuple[str, str]], known: dict[str, str]) -> list[tuple[Action, str]]:
    records = [record(*item) for item in known.items()]
    planned = plan(batch(*files), records, {entry.version for entry in records})
    return [(entry.action, entry.twin) for entry in planned]


def test_new_changed_and_unchanged_files() -> None:
    known = {"same": "1", "changed": "2"}
    assert actions([("same", "1"), ("changed", "3"), ("new", "4")], known) == [
        (Action.UNCHANGED, ""),
        (Action.UPDATE, ""),
        (Action.ADD, ""),
    ]


def test_a_copy_names_its_twin_whichever_comes_first() -> None:
    assert actions([("copy", "1")], {"a": "1"}) == [(Action.DUPLICATE, "a")]
    assert actions([("a", "1"), ("z", "1")], {}) == [(Action.ADD, ""), (Action.DUPLICATE, "a")]
    assert actions([("a", "1"), ("z", "1")], {"z": "1"}) == [(Action.DUPLICATE, "z"), (Action.UNCHANGED, "")]


def test_a_holder_that_changes_in_the_same_batch_holds_nothing() -> None:
    assert actions([("a", "2"), ("b", "1")], {"a": "1", "b": "2"}) == [(Action.UPDATE, ""), (Action.UPDATE, "")]
    assert actions([("new", "1"), ("a", "2")], {"a": "1"}) == [(Action.ADD, ""), (Action.UPDATE, "")]


def test_one_name_with_two_contents_clashes() -> None:
    assert actions([("a", "1"), ("a", "2"), ("a", "1")], {}) == [
        (Action.ADD, ""),
        (Action.CLASH, ""),
        (Action.DUPLICATE, "a"),
    ]


@st.composite
def libraries(draw: st.DrawFn) -> dict[str, str]:
    contents = draw(st.lists(CONTENTS, unique=True))
    return dict(zip(draw(st.permutations(["a", "b", "c", "d"])), contents, strict=False))


@given(st.lists(st.tuples(NAMES, CONTENTS), max_size=8), libraries())
def test_every_content_is_held_once_and_a_second_run_does_nothing(
    files: list[tuple[str, str]], known: dict[str, str]
) -> None:
    after = dict(known)
    written: list[str] = []
    for (name, content), (action, twin) in zip(files, actions(files, known), strict=True):
        if action in (Action.ADD, Action.UPDATE):
            after[name] = content
            written.append(content)
        elif action is Action.DUPLICATE and twin != name:
            after.pop(name, None)
    assert len(written) == len(set(written))
    wanted = dict(reversed(files))
    assert set(wanted.values()) <= set(after.values())
    assert len(after) == len(set(after.values()))
    again = [action for action, _ in actions(list(wanted.items()), after)]
    assert set(again) <= {Action.UNCHANGED, Action.DUPLICATE}
