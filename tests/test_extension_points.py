"""CONTRIBUTING's table, performed: what a newcomer adds is one file, and it goes the whole way."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import rag.answering.answerers
import rag.index.engines
import rag.loaders.readers
import rag.models
import rag.tasks
from rag import Request
from rag.errors import DuplicateNameError
from rag.loaders import registry
from rag.services import Rag
from rag.settings import load_settings
from tests.fakes import FakeEmbedder

AddFile = Callable[[ModuleType, str, str], None]

RECIPES_TASK = '''
"""Recipe search: ingredients find the dishes that are made of them."""

from rag.chunking import by_structure
from rag.tasks.corpus import CorpusJudgments, Record
from rag.tasks.spec import Mix, PromptMode, TaskSpec
from rag.types import Chunking


def quote_dishes(question, hits, likeness):
    return [f"- cook {hit.payload.name} [{hit.rank}]" for hit in hits]


def judge_names(passages):
    return CorpusJudgments(
        {p.id: Record(p.id, "", p.text) for p in passages},
        {f"q-{p.id}": p.name.removesuffix(".txt") for p in passages},
        {(f"q-{p.id}", p.id): 1 for p in passages},
        "each question is the name of a dish.",
    )


TASK = TaskSpec(
    name="recipes",
    title="Recipe search",
    query_is="a list of ingredients",
    document_is="a dish",
    gives="dishes to cook",
    examples=("eggs and flour",),
    instruction="Given ingredients, retrieve dishes made of them",
    prompts=PromptMode.QUERY_PASSAGE,
    chunking=Chunking("structure", tokens=256, overlap=32, cut=by_structure),
    mix=Mix(dense_weight=0.5),
    wording="You are given ingredients and dishes.",
    quote=quote_dishes,
    judge=judge_names,
    needs="that needs dishes.",
)
'''
EML_READER = '''
"""Mails."""

import email
import email.policy

from rag.loaders.builder import TextBuilder
from rag.loaders.registry import Format


def load_mail(path, name):
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    builder = TextBuilder()
    builder.heading(str(message["subject"]), 1)
    builder.add(message.get_body(("plain",)).get_content())
    yield builder.document(name, "mail", str(message["subject"]))


FORMAT = Format("mail", (".eml",), load_mail)
'''
MAIL = b"From: a@example.org\r\nSubject: Picnic\r\n\r\nThe picnic is on Friday at noon.\r\n"
TRIM_FAMILY = '''
"""Models that are told their side in brackets."""

from rag.models.spec import EmbeddingModel, Family

FAMILY = Family(
    name="brackets",
    query="[ask] ",
    document="[text] ",
    by_task={},
    models=(EmbeddingModel("example/brackets-small", "brackets", 384, 512, "mean", "MIT", 1),),
)
'''
PARROT_ANSWERER = '''
"""Repeats the question."""

from rag.answering.answerers.spec import AnswererEntry
from rag.types import AnswerDelta


class Parrot:
    name = "parrot"

    def stream(self, question, hits, history, task):
        yield AnswerDelta(f"{task.title}: {question} [1]")
        yield AnswerDelta("", "length")

    def condense(self, question, history):
        return question


ANSWERER = AnswererEntry("parrot", lambda settings: False, lambda settings, embed: Parrot())
'''


MEMORY_ENGINE = '''
"""Keeps everything in memory."""

from rag.index.engines.spec import EngineEntry
from tests.fakes_index import FakeEngine

ENGINE = EngineEntry("memory", lambda settings: False, lambda settings: FakeEngine(), lambda settings: "in memory")
'''


@pytest.fixture
def add_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AddFile]:
    """Put a module into a package by a folder of its own; everything is as before at the end."""
    added: list[str] = []

    def add(package: ModuleType, name: str, source: str) -> None:
        folder = tmp_path / package.__name__
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
        added.append(f"{package.__name__}.{name}")
        _forget_discoveries()

    yield add
    monkeypatch.undo()
    for name in added:
        sys.modules.pop(name, None)
    _forget_discoveries()


def _forget_discoveries() -> None:
    importlib.invalidate_caches()
    rag.tasks.discover_tasks.cache_clear()
    registry.all_formats.cache_clear()
    registry.formats_by_extension.cache_clear()


def opened(folder: Path, **options: object) -> Rag:
    return Rag(load_settings(data_dir=folder / "data", **options), embedder=FakeEmbedder(384))


def answer_of(rag_: Rag, request: Request) -> str:
    return list(rag_.ask(request))[-1].answer.text


def test_a_task_goes_the_whole_way(add_file: AddFile, tmp_path: Path) -> None:
    add_file(rag.tasks, "recipes", RECIPES_TASK)
    library = opened(tmp_path)
    dishes = [("pancakes.txt", b"Eggs, flour and milk in a pan."), ("salad.txt", b"Tomatoes with oil and salt.")]
    assert library.ingest_uploads(dishes, "recipes").chunks == 2
    assert answer_of(library, Request("flour and eggs", "recipes", k=1)) == "- cook pancakes.txt [1]"
    data = library.evaluations.from_index("recipes")
    assert {question.text for question in data.questions} == {"pancakes", "salad"}
    result, _ = library.evaluations.run(data, "recipes", ["naive", "default"])
    assert result.system("default").means["nDCG@10"] > 0
    assert "recipes" in library.status().counts
    library.close()
    from docs.generate import models_page

    assert "| recipes | `query: ` | `passage: ` |" in models_page()


def test_two_tasks_of_one_name_stop_the_start(add_file: AddFile, tmp_path: Path) -> None:
    add_file(rag.tasks, "again", RECIPES_TASK.replace('"recipes"', '"qa"'))
    with pytest.raises(DuplicateNameError, match="task 'qa'"):
        opened(tmp_path)


def test_a_reader_goes_the_whole_way(add_file: AddFile, tmp_path: Path) -> None:
    add_file(rag.loaders.readers, "mail", EML_READER)
    library = opened(tmp_path)
    (outcome,) = library.ingest_uploads([("picnic.eml", MAIL)], "qa").outcomes
    assert outcome.status == "added", outcome.reason
    assert "Friday at noon" in answer_of(library, Request("When is the picnic?"))
    library.close()


def test_two_readers_of_one_extension_stop_the_start(add_file: AddFile, tmp_path: Path) -> None:
    add_file(rag.loaders.readers, "again", EML_READER.replace('(".eml",)', '(".eml", ".pdf")'))
    with pytest.raises(DuplicateNameError, match=r"'\.pdf'"):
        opened(tmp_path)


def test_a_model_goes_the_whole_way(add_file: AddFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_file(rag.models, "brackets", TRIM_FAMILY)
    families = rag.models.families_in(rag.models)
    monkeypatch.setattr("rag.settings.MODELS", rag.models.models_of(families))
    monkeypatch.setattr("rag.models.FAMILIES", families)
    fake = FakeEmbedder(384)
    library = Rag(load_settings(data_dir=tmp_path / "data", model="example/brackets-small"), embedder=fake)
    library.ingest_uploads([("a.txt", b"The lamp is red.")], "qa")
    assert library.search("Which lamp?").hits
    assert {"[text] The lamp is red.", "The lamp is red.", "[ask] Which lamp?"} <= set(fake.seen)
    library.close()


def test_an_answerer_goes_the_whole_way(add_file: AddFile, tmp_path: Path) -> None:
    add_file(rag.answering.answerers, "parrot", PARROT_ANSWERER)
    library = opened(tmp_path, answerer="parrot")
    library.ingest_uploads([("a.txt", b"The lamp is red.")], "qa")
    last = list(library.ask("Which lamp?"))[-1]
    assert (last.answer.text, last.answer.finish_reason) == ("Document Q&A: Which lamp? [1]", "length")
    assert library.status().answerer == "parrot"
    library.close()


def test_two_answerers_of_one_name_stop_the_start(add_file: AddFile, tmp_path: Path) -> None:
    add_file(rag.answering.answerers, "again", PARROT_ANSWERER.replace('"parrot", lambda', '"extractive", lambda'))
    with pytest.raises(DuplicateNameError, match="answerer 'extractive'"):
        opened(tmp_path)


def test_an_engine_goes_the_whole_way(add_file: AddFile, tmp_path: Path) -> None:
    add_file(rag.index.engines, "memory", MEMORY_ENGINE)
    library = opened(tmp_path, engine="memory")
    library.ingest_uploads([("a.txt", b"The lamp is red.")], "qa")
    assert "red" in answer_of(library, Request("Which lamp?"))
    assert library.status().engine == "in memory"
    assert not (tmp_path / "data" / "index").exists()
    library.close()


def test_two_engines_of_one_name_stop_the_start(add_file: AddFile, tmp_path: Path) -> None:
    add_file(rag.index.engines, "again", MEMORY_ENGINE.replace('"memory"', '"embedded"'))
    with pytest.raises(DuplicateNameError, match="engine 'embedded'"):
        opened(tmp_path)
