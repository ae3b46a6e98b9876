"""The exact text that reaches the model, on both sides, for every task and model."""

import numpy as np
import pytest

from rag.embedding import TaskEmbeddings
from rag.models import MODELS
from rag.recipes import resolve
from rag.settings import Settings
from rag.tasks import TASKS, get_task
from rag.types import Mode
from tests.fakes import FakeEmbedder


def embeddings_of(embedder, settings, task, mode=Mode.TASK_AWARE):
    return resolve(settings, get_task(task)).embeddings(embedder, mode)


TEXT = "first line\n\tsecond  line "

E5 = ("query: ", "passage: ")
WRITTEN_OUT = {
    ("bundled/multilingual-e5-small", "qa"): E5,
    ("intfloat/e5-base-v2", "faq"): E5,
    ("intfloat/e5-small-v2", "code"): E5,
    ("intfloat/multilingual-e5-large-instruct", "qa"): (
        "Instruct: Given a question, retrieve passages that answer the question\nQuery: ",
        "",
    ),
    ("Qwen/Qwen3-Embedding-0.6B", "code"): (
        "Instruct: Given a description of what code does, retrieve code that does it\nQuery: ",
        "",
    ),
    ("hkunlp/instructor-large", "qa"): (
        "Represent the question for retrieving relevant passages: ",
        "Represent the passage for retrieval: ",
    ),
    ("BAAI/bge-small-en-v1.5", "qa"): ("Represent this sentence for searching relevant passages: ", ""),
    ("nomic-ai/nomic-embed-text-v1.5", "summary"): ("search_query: ", "search_document: "),
    ("google/embeddinggemma-300m", "code"): ("task: code retrieval | query: ", "title: none | text: "),
}


@pytest.mark.parametrize(("model", "task"), list(WRITTEN_OUT), ids=str)
def test_the_exact_text_is_prompt_and_text(model: str, task: str) -> None:
    fake = FakeEmbedder()
    embeddings = embeddings_of(fake, Settings(model=model), task)
    embeddings.embed_query(TEXT)
    embeddings.embed_documents([TEXT, ""])
    query, document = WRITTEN_OUT[model, task]
    assert fake.seen == [query + TEXT, document + TEXT, document]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("model", MODELS)
def test_both_interfaces_send_the_same_text(model: str, task: str) -> None:
    settings = Settings(model=model)
    by_langchain, by_matrix = FakeEmbedder(), FakeEmbedder()
    langchain = embeddings_of(by_langchain, settings, task)
    langchain.embed_query(TEXT)
    langchain.embed_documents([TEXT])
    matrix = embeddings_of(by_matrix, settings, task)
    matrix.queries([TEXT])
    matrix.documents([TEXT])
    recipe = resolve(settings, get_task(task))
    query, document = recipe.query_prompt, recipe.document_prompt
    assert by_langchain.seen == by_matrix.seen == [query + TEXT, document + TEXT]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("model", MODELS)
def test_naive_sends_the_bare_text(model: str, task: str) -> None:
    fake = FakeEmbedder()
    embeddings = embeddings_of(fake, Settings(model=model, query_prompt="Q ", document_prompt="D "), task, Mode.NAIVE)
    embeddings.embed_query(TEXT)
    embeddings.embed_documents([TEXT])
    assert fake.seen == [TEXT, TEXT]


@pytest.mark.parametrize("task", TASKS)
def test_prompts_in_the_settings_replace_the_models_own(task: str) -> None:
    fake = FakeEmbedder()
    embeddings = embeddings_of(fake, Settings(query_prompt="Q ", document_prompt=""), task)
    embeddings.embed_query(TEXT)
    embeddings.embed_documents([TEXT])
    assert fake.seen == ["Q " + TEXT, TEXT]


def test_one_prompt_in_the_settings_leaves_the_other() -> None:
    recipe = resolve(Settings(model="intfloat/e5-base-v2", query_prompt="Q "), get_task("qa"))
    assert (recipe.query_prompt, recipe.document_prompt) == ("Q ", "passage: ")


def test_prompts_move_vectors_and_shapes_are_as_promised() -> None:
    embeddings = TaskEmbeddings(FakeEmbedder(dimension=32), "query: ", "passage: ")
    assert embeddings.queries(["a", "b"]).shape == (2, 32)
    assert embeddings.documents([]).shape == (0, 32)
    assert isinstance(embeddings.embed_query("a")[0], float)
    assert not np.allclose(embeddings.queries(["apple"]), embeddings.documents(["apple"]))
