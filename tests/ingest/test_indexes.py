"""An index never answers for another recipe, or for another model under the same name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rag.errors import RecipeMismatchError, VectorIndexError
from rag.index import vector_key
from rag.ingest import Completion
from rag.recipes import resolve
from rag.settings import Settings
from rag.tasks import TASKS, get_task
from rag.tasks.profiles import Profile, remove_profile, save_profile
from rag.types import Matrix, Recipe
from tests.fakes import FakeEmbedder
from tests.ingest.library import Library, rows


def recipe_of(task: str, settings: Settings, embedder: FakeEmbedder) -> Recipe:
    return resolve(settings, get_task(task)).identity(embedder)


def test_the_recipe_says_all_that_makes_a_vector() -> None:
    recipe = recipe_of("qa", Settings(), FakeEmbedder())
    assert (recipe.task, recipe.model, recipe.dimension) == ("qa", "bundled/multilingual-e5-small", 64)
    assert (recipe.query_prompt, recipe.document_prompt) == ("query: ", "passage: ")
    assert recipe.precision == "float32"
    assert recipe.chunking
    assert recipe.cleaning


def test_vectors_are_shared_where_only_the_question_side_or_the_chunking_differ() -> None:
    qa = recipe_of("qa", Settings(), FakeEmbedder())
    assert vector_key(qa) == vector_key(recipe_of("qa", Settings(query_prompt="ask: "), FakeEmbedder()))
    assert vector_key(qa) == vector_key(recipe_of("code", Settings(), FakeEmbedder()))
    assert vector_key(qa) != vector_key(recipe_of("qa", Settings(document_prompt="text: "), FakeEmbedder()))
    assert vector_key(qa) != vector_key(recipe_of("qa", Settings(), FakeEmbedder(dimension=32)))


def test_an_index_is_opened_once(library: Library) -> None:
    assert library.index() is library.index()
    library.write("a.txt", "Apples are red.")
    library.ingest()
    restarted = library.restarted()
    restarted.index()
    restarted.index()
    assert restarted.embedder.calls == [1], "the canary is embedded once"


@pytest.mark.parametrize(
    ("option", "value", "named"),
    [
        ("document_prompt", "text: ", "document_prompt: 'passage: ' -> 'text: '"),
        ("query_prompt", "ask: ", "query_prompt: 'query: ' -> 'ask: '"),
        ("model", "BAAI/bge-small-en-v1.5", "model: 'bundled/multilingual-e5-small' -> 'BAAI/bge-small-en-v1.5'"),
    ],
)
def test_a_changed_setting_is_refused_with_the_remedy(library: Library, option: str, value: str, named: str) -> None:
    library.write("a.txt", "Apples are red.")
    library.ingest()
    changed = library.restarted(**{option: value})
    with pytest.raises(RecipeMismatchError) as caught:
        changed.index()
    assert named in str(caught.value)
    assert "python -m rag reindex --task qa" in str(caught.value)
    with pytest.raises(RecipeMismatchError):
        changed.ingest()
    assert library.restarted().texts() == {"a.txt": "Apples are red."}, "undoing the change helps too"


def test_a_profile_that_cuts_otherwise_is_noticed_by_a_running_program(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    library.ingest()
    index = library.index()
    save_profile(library.settings.data_dir, Profile("qa", "query/passage", 0.7, 128))
    with pytest.raises(RecipeMismatchError, match="chunking"):
        library.index()
    remove_profile(library.settings.data_dir, "qa")
    assert library.index() is index


def test_other_tasks_are_not_concerned(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    library.ingest("qa")
    changed = library.restarted(document_prompt="text: ")
    assert changed.ingest("code").completion is Completion.ALL


def test_an_empty_index_follows_the_settings(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    library.ingest()
    library.ingestor.delete(["a.txt"])
    changed = library.restarted(document_prompt="text: ")
    assert changed.ingest().completion is Completion.ALL
    assert changed.engine.collections() == [changed.index().name]


@pytest.mark.parametrize("write", [lambda: ("a.txt", "Apples are red."), lambda: ("rows.jsonl", rows(5))])
@pytest.mark.parametrize("task", TASKS)
def test_an_endpoint_that_changed_its_model_is_noticed(
    library: Library, write: Callable[[], tuple[str, str]], task: str
) -> None:
    library.write(*write())
    library.ingest(task)
    restarted = library.restarted()
    restarted.embedder = Mirrored()
    with pytest.raises(RecipeMismatchError, match=rf"reindex --task {task}"):
        restarted.index(task)


class Mirrored(FakeEmbedder):
    """Another model with the same name, dimension and precision."""

    def encode(self, texts: object) -> Matrix:
        return super().encode(texts)[:, ::-1]  # type: ignore[arg-type]


def test_points_that_a_lost_catalog_left_are_never_removed(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    library.ingest()
    library.catalog.close()
    for path in library.settings.data_dir.glob("catalog.db*"):
        path.unlink()
    fresh = library.restarted()
    for use in (Library.index, Library.ingest):
        with pytest.raises(VectorIndexError, match="check --repair"):
            use(fresh)
    index = library.engine.open_as_built(library.engine.collections()[0])
    assert index is not None
    assert index.count() == 1


def test_points_of_a_server_that_the_catalog_does_not_know_are_never_removed(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    library.ingest()
    library.engine.kind = "server"  # type: ignore[misc]
    other = Library(library.folder / "other", library.engine)
    with pytest.raises(VectorIndexError, match="another installation"):
        other.index()
    assert len(library.visible()) == 1


def test_files_whose_chunks_are_gone_are_ingested_again(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    library.ingest()
    library.index().delete_versions(sorted(library.index().versions()))
    restarted = library.restarted()
    assert restarted.ingest().embedded == 1
    assert restarted.texts() == {"a.txt": "Apples are red."}
