from dataclasses import replace

import pytest

from rag.errors import UnknownNameError
from rag.models import BUNDLED, FAMILIES, MODELS, get_model, prompt
from rag.tasks import TASKS, PromptMode, get_task
from rag.types import Mode, Role

E5 = get_model(BUNDLED)


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.id)
@pytest.mark.parametrize("task", TASKS)
def test_every_model_renders_every_task(model, task):
    for role in Role:
        rendered = prompt(model, task, role)
        assert "{" not in rendered
        assert prompt(model, task, role, Mode.NAIVE) == ""
    if model.family != "plain":
        assert prompt(model, task, Role.QUERY) or task == "similar"


@pytest.mark.parametrize(
    ("model_id", "task", "query", "document"),
    [
        (BUNDLED, "qa", "query: ", "passage: "),
        (BUNDLED, "code", "query: ", "passage: "),
        (
            "hkunlp/instructor-large",
            "qa",
            "Represent the question for retrieving relevant passages: ",
            "Represent the passage for retrieval: ",
        ),
        ("nomic-ai/nomic-embed-text-v1.5", "qa", "search_query: ", "search_document: "),
        ("nomic-ai/nomic-embed-text-v1.5", "similar", "clustering: ", "clustering: "),
        ("BAAI/bge-small-en-v1.5", "qa", "Represent this sentence for searching relevant passages: ", ""),
        ("google/embeddinggemma-300m", "code", "task: code retrieval | query: ", "title: none | text: "),
        (
            "Qwen/Qwen3-Embedding-0.6B",
            "qa",
            "Instruct: Given a question, retrieve passages that answer the question\nQuery: ",
            "",
        ),
    ],
)
def test_exact_prompts(model_id, task, query, document):
    model = get_model(model_id)
    assert (prompt(model, task, Role.QUERY), prompt(model, task, Role.DOCUMENT)) == (query, document)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    ("mode", "wanted"),
    [
        (PromptMode.QUERY_PASSAGE, ("query: ", "passage: ")),
        (PromptMode.QUERY_QUERY, ("query: ", "query: ")),
        (PromptMode.PASSAGE_PASSAGE, ("passage: ", "passage: ")),
        (PromptMode.NONE, ("", "")),
    ],
)
def test_a_pair_of_equal_prompts_follows_the_symmetry(task, mode, wanted):
    spec = replace(get_task(task), prompts=mode)
    assert (prompt(E5, spec, Role.QUERY), prompt(E5, spec, Role.DOCUMENT)) == wanted


def test_a_task_that_drops_a_pair_of_prompts_keeps_those_made_for_it():
    spec = replace(get_task("similar"), prompts=PromptMode.NONE)
    made = "Represent the document for retrieving similar documents: "
    instructor = get_model("hkunlp/instructor-large")
    assert prompt(instructor, spec, Role.QUERY) == made
    assert prompt(instructor, replace(spec, bare=True), Role.QUERY) == ""


@pytest.mark.parametrize("family", [name for name in FAMILIES if "instruct" in name and name != "instructor"])
def test_instruct_models_leave_documents_bare_so_one_index_serves_every_question(family):
    assert FAMILIES[family].document == ""


def test_unknown_names_suggest_near_ones():
    with pytest.raises(UnknownNameError, match="Did you mean intfloat/e5-small-v2"):
        get_model("intfloat/e5-smal-v2")
    with pytest.raises(UnknownNameError, match="Did you mean faq"):
        get_task("faqs")
    with pytest.raises(UnknownNameError, match="Known: code, faq, qa, similar, summary"):
        get_task("zzzz")
