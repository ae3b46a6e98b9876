"""The recipe in force: resolved once, anew when its profile changes, and nothing is read in between."""

import json
from pathlib import Path

import pytest

from rag.errors import SettingsError, UnknownNameError
from rag.recipes import Recipes, resolve, with_prompts
from rag.settings import Settings, load_settings
from rag.tasks import get_task
from rag.tasks.profiles import Profile, profile_path, remove_profile, save_profile
from rag.tasks.spec import PromptMode
from rag.types import Mode
from tests.fakes import FakeEmbedder

PROFILE = Profile("qa", "passage/passage", 0.6, 128)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path)


def test_one_value_until_the_profile_changes(settings: Settings) -> None:
    recipes = Recipes(settings)
    shipped = recipes.of("qa")
    assert recipes.of("qa") is shipped
    save_profile(settings.data_dir, PROFILE)
    tuned = recipes.of("qa")
    assert tuned.task.mix.dense_weight == 0.6
    assert tuned.task.chunking.tokens == 128
    assert (tuned.query_prompt, tuned.document_prompt) == ("passage: ", "passage: ")
    assert recipes.of("qa") is tuned
    remove_profile(settings.data_dir, "qa")
    assert recipes.of("qa") == shipped


def test_no_file_is_read_for_a_recipe_that_is_known(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    save_profile(settings.data_dir, PROFILE)
    recipes = Recipes(settings)
    recipes.of("qa")

    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("a file is read")

    monkeypatch.setattr(Path, "read_text", refuse)
    monkeypatch.setattr(Path, "open", refuse)
    assert recipes.of("qa").profile == PROFILE


def test_a_damaged_profile_says_what_to_do(settings: Settings) -> None:
    path = profile_path(settings.data_dir, "qa")
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"task": "qa", "symmetry": "sideways", "dense_weight": 0.5, "chunk_tokens": 64}))
    with pytest.raises(SettingsError, match="Remove it, or run tune again"):
        Recipes(settings).of("qa")


def test_an_unknown_task_names_the_near_one(settings: Settings) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean qa"):
        Recipes(settings).of("qaa")


def test_the_identity_holds_what_determines_the_vectors(settings: Settings) -> None:
    identity = resolve(settings, get_task("qa")).identity(FakeEmbedder(32))
    assert (identity.task, identity.dimension, identity.precision) == ("qa", 32, "float32")
    assert (identity.query_prompt, identity.document_prompt) == ("query: ", "passage: ")
    assert identity.chunking == "structure-256-32-v1"


@pytest.mark.parametrize(
    ("mode", "prompts"),
    [
        (PromptMode.NONE, ("", "")),
        (PromptMode.QUERY_PASSAGE, ("query: ", "passage: ")),
        (PromptMode.QUERY_QUERY, ("query: ", "query: ")),
        (PromptMode.PASSAGE_PASSAGE, ("passage: ", "passage: ")),
    ],
)
@pytest.mark.parametrize("task", ["qa", "similar"])
def test_another_prompt_mode_is_another_recipe(settings, mode, prompts, task) -> None:
    recipe = with_prompts(settings, get_task(task), mode)
    assert (recipe.query_prompt, recipe.document_prompt) == prompts
    assert recipe.task.prompts is mode
    assert recipe.task.mix == get_task(task).mix


def test_embeddings_put_the_prompts_of_their_mode_before_texts(settings: Settings) -> None:
    fake = FakeEmbedder()
    recipe = resolve(settings, get_task("qa"))
    recipe.embeddings(fake).embed_query("x")
    recipe.embeddings(fake, Mode.NAIVE).embed_query("x")
    assert fake.seen == ["query: x", "x"]
