import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

import rag.models
from rag.errors import DuplicateNameError, SettingsError, UnknownNameError
from rag.models import BUNDLED, FAMILIES, MODELS, EmbeddingModel, Family, families_in, models_of, prompt
from rag.settings import Settings
from rag.tasks import TASKS, PromptMode, get_task
from rag.types import Mode, Role

E5 = MODELS[BUNDLED]


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
    model = MODELS[model_id]
    assert (prompt(model, task, Role.QUERY), prompt(model, task, Role.DOCUMENT)) == (query, document)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    ("mode", "pair"),
    [
        (PromptMode.QUERY_PASSAGE, ("query: ", "passage: ")),
        (PromptMode.QUERY_QUERY, ("query: ", "query: ")),
        (PromptMode.PASSAGE_PASSAGE, ("passage: ", "passage: ")),
        (PromptMode.NONE, ("", "")),
    ],
)
def test_a_pair_of_equal_prompts_follows_the_symmetry(task, mode, pair):
    spec = replace(get_task(task), prompts=mode)
    assert (prompt(E5, spec, Role.QUERY), prompt(E5, spec, Role.DOCUMENT)) == pair


def test_a_task_that_drops_a_pair_of_prompts_keeps_those_made_for_it():
    spec = replace(get_task("similar"), prompts=PromptMode.NONE)
    represent = "Represent the document for retrieving similar documents: "
    instructor = MODELS["hkunlp/instructor-large"]
    assert prompt(instructor, spec, Role.QUERY) == represent
    assert prompt(instructor, replace(spec, bare=True), Role.QUERY) == ""


@pytest.mark.parametrize("family", [name for name in FAMILIES if "instruct" in name and name != "instructor"])
def test_instruct_models_leave_documents_bare_so_one_index_serves_every_question(family):
    assert FAMILIES[family].document == ""


def test_unknown_names_suggest_near_ones():
    with pytest.raises(SettingsError, match="Did you mean intfloat/e5-small-v2"):
        _ = Settings(model="intfloat/e5-smal-v2").embedding_model
    with pytest.raises(UnknownNameError, match="Did you mean instructor"):
        prompt(replace(E5, family="instructr"), "qa", Role.QUERY)
    with pytest.raises(UnknownNameError, match="Did you mean faq"):
        get_task("faqs")
    with pytest.raises(UnknownNameError, match="Known: code, faq, qa, similar, summary"):
        get_task("zzzz")


ACME = """
from rag.models.spec import EmbeddingModel, Family

FAMILY = Family(
    "acme",
    query="find: ",
    document="page: ",
    by_task={{"faq": ("same question: ", "same question: ")}},
    models=(EmbeddingModel({id!r}, "acme", 8, 512, "mean", "MIT", 1),),
)
"""


@pytest.fixture
def add_family(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Put a file of the family `acme` with one model into a folder where families are looked for."""
    monkeypatch.setattr(rag.models, "__path__", [*rag.models.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "rag.models.acme", raising=False)

    def add(model_id: str) -> None:
        (tmp_path / "acme.py").write_text(ACME.format(id=model_id))

    yield add
    sys.modules.pop("rag.models.acme", None)


def test_a_family_is_one_file(add_family: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    add_family("acme/embed")
    families = families_in(rag.models)
    models = models_of(families)
    assert set(families) == {*FAMILIES, "acme"}
    assert set(models) == {*MODELS, "acme/embed"}
    monkeypatch.setitem(FAMILIES, "acme", families["acme"])
    monkeypatch.setitem(MODELS, "acme/embed", models["acme/embed"])
    model = Settings(model="acme/embed").embedding_model
    assert prompt(model, "faq", Role.DOCUMENT) == "same question: "
    # A task that the family does not name gets its general prompts.
    new = replace(get_task("qa"), name="contracts")
    assert [prompt(model, new, role) for role in Role] == ["find: ", "page: "]


def test_two_models_of_one_id_are_an_error(add_family: Callable[[str], None]) -> None:
    add_family(BUNDLED)
    with pytest.raises(DuplicateNameError, match=f"claim the model '{BUNDLED}'"):
        models_of(families_in(rag.models))


def test_two_families_of_one_name_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    package = ModuleType("rag.models")
    package.__path__ = rag.models.__path__
    monkeypatch.setattr(rag.models.bge, "FAMILY", Family("e5"))
    with pytest.raises(DuplicateNameError, match="claim the model family 'e5'"):
        families_in(package)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_models_name_the_family_that_holds_them(family: Family) -> None:
    assert {model.family for model in family.models} <= {family.name}


def test_the_default_is_listed_first() -> None:
    assert next(iter(MODELS)) == BUNDLED
    assert isinstance(MODELS[BUNDLED], EmbeddingModel)
