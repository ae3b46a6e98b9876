"""A run compares systems on the product's own code, keeps what it made, and can be stopped."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.chunking import chunk
from rag.errors import CancelledError, DatasetError, SettingsError, UnknownNameError
from rag.evaluation.data.datasets import Dataset, assemble
from rag.evaluation.run.chunked import as_document
from rag.evaluation.run.context import EvaluationContext, evaluation_meter
from rag.evaluation.run.results import from_json, movers, to_json
from rag.evaluation.run.runs import evaluate_systems
from rag.evaluation.run.systems import STANDARD, SYSTEMS, get_systems
from rag.evaluation.stats.metrics import MEASURES
from rag.evaluation.stats.significance import Verdict
from rag.jobs import Progress
from rag.models import MODELS
from rag.settings import Settings
from rag.tasks import PromptMode, get_task
from rag.tasks.corpus import Record
from rag.tasks.profiles import Profile, save_profile
from tests.evaluation.build import FAST, TOPICS, evaluated, in_force, topics
from tests.fakes import FakeEmbedder


def test_every_system_is_scored_on_every_question(dataset: Dataset, settings: Settings, embedder: FakeEmbedder) -> None:
    result = evaluated(dataset, settings, embedder)
    here = [name for name in STANDARD if name != "second"]  # there is no second model
    assert list(result.names) == here
    assert (result.documents, result.chunks, len(result.questions)) == (12, 12, 24)
    for system in result.systems:
        assert set(system.values) == set(MEASURES)
        assert len(system.values["R@10"]) == 24
        assert system.means["nDCG@10"] == pytest.approx(np.mean(system.values["nDCG@10"]))
        assert system.intervals["nDCG@10"].low <= system.means["nDCG@10"] <= system.intervals["nDCG@10"].high
    assert result.system("bm25").means["nDCG@10"] > 0.9
    assert [comparison.system for comparison in result.comparisons] == here[1:]
    shipped = get_task("qa").prompts.value
    assert {comparison.baseline for comparison in result.rivals} == {shipped, "bm25", "hybrid"}
    assert [system.name for system in result.systems if system.shipped] == [shipped, "default"]


def test_dense_rankings_equal_a_plain_computation(dataset: Dataset, settings: Settings, embedder: FakeEmbedder) -> None:
    result = evaluated(dataset, settings, embedder, "query/passage")
    texts = {record.id: as_document(record, "x") for record in dataset.documents}
    plain = FakeEmbedder(dimension=256)
    inputs = {
        key: next(chunk(text, get_task("qa").chunking, plain.token_offsets, 512)).inputs[0]
        for key, text in texts.items()
    }
    for system, query, passage in (("naive", "", ""), ("query/passage", "query: ", "passage: ")):
        matrix = plain.encode([passage + text for text in inputs.values()])
        for question, ranking in zip(dataset.questions, result.system(system).rankings, strict=True):
            scores = matrix @ plain.encode([query + question.text])[0]
            expected = dict(zip(inputs, scores.tolist(), strict=True))
            assert [expected[key] for key in ranking] == pytest.approx(
                sorted(expected.values(), reverse=True)[:10], abs=1e-6
            )


def test_the_exact_prompts_reach_the_model(dataset: Dataset, settings: Settings, embedder: FakeEmbedder) -> None:
    evaluated(dataset, settings, embedder, "query/passage")
    question = dataset.questions[0].text
    assert question in embedder.seen
    assert "query: " + question in embedder.seen
    assert "passage: " + question not in embedder.seen
    assert sum(text.startswith("passage: ") for text in embedder.seen) == 12
    assert len(embedder.seen) == len(set(embedder.seen)) == 2 * (12 + 24)


def test_a_second_run_embeds_nothing_and_says_the_same(
    dataset: Dataset, settings: Settings, embedder: FakeEmbedder
) -> None:
    first = evaluated(dataset, settings, embedder)
    again = FakeEmbedder(dimension=256)
    second = evaluated(dataset, settings, again)
    assert again.calls == []
    assert replace(second, created="", seconds=0.0) == replace(first, created="", seconds=0.0)


def test_kept_rankings_serve_another_list_of_systems(
    dataset: Dataset, settings: Settings, embedder: FakeEmbedder
) -> None:
    whole = evaluated(dataset, settings, embedder)
    again = FakeEmbedder(dimension=256)
    part = evaluated(dataset, settings, again, "bm25", "default")
    assert again.calls == []
    assert part.names == ("naive", "bm25", "default")
    assert part.system("default").values == whole.system("default").values


def test_another_corpus_or_model_is_not_answered_from_what_was_kept(
    dataset: Dataset, settings: Settings, embedder: FakeEmbedder
) -> None:
    evaluated(dataset, settings, embedder, "naive")
    other = replace(dataset, documents=(*dataset.documents[1:], replace(dataset.documents[0], text="Nothing.")))
    fresh = FakeEmbedder(dimension=256)
    evaluated(other, settings, fresh, "naive")
    assert fresh.calls
    smaller = FakeEmbedder(dimension=128)
    evaluated(dataset, settings, smaller, "naive")
    assert len(smaller.seen) == 36


def test_damaged_files_in_the_cache_are_made_again(
    dataset: Dataset, settings: Settings, embedder: FakeEmbedder
) -> None:
    first = evaluated(dataset, settings, embedder, "bm25")
    files = [path for path in (settings.data_dir / "cache").rglob("*") if path.is_file()]
    assert len(files) >= 4
    for path in files:
        path.write_bytes(b"broken")
    assert evaluated(dataset, settings, embedder, "bm25").system("bm25").values == first.system("bm25").values


def test_the_default_follows_the_task_and_its_profile(
    dataset: Dataset, settings: Settings, embedder: FakeEmbedder
) -> None:
    spec = get_task("qa")
    dense = replace(spec, mix=replace(spec.mix, dense_weight=1.0), prompts=PromptMode.QUERY_PASSAGE)
    only_dense = evaluated(dataset, settings, embedder, "query/passage", "default", task=dense)
    shipped = only_dense.system("default").values["nDCG@10"]
    assert shipped == pytest.approx(only_dense.system("query/passage").values["nDCG@10"])
    save_profile(settings.data_dir, Profile("qa", "query/passage", 1.0, dense.chunking.tokens))
    assert evaluated(dataset, settings, embedder, "default").system("default").values["nDCG@10"] == shipped


def test_the_order_of_the_questions_in_the_file_does_not_matter(settings: Settings) -> None:
    questions = {f"q{number}": f"{TOPICS[number % 12]} {number}" for number in range(60)}
    rows = {(key, f"d{int(key[1:]) % 12:02}"): 1 for key in questions}
    documents = {record.id: record for record in topics().documents}
    faq = get_task("faq")
    learning = replace(faq, mix=replace(faq.mix, centred=True, dense_weight=1.0))

    def rankings(keys: list[str]) -> dict[str, tuple[str, ...]]:
        data = assemble("mixed", documents, {key: questions[key] for key in keys}, rows)
        result = evaluated(data, settings, FakeEmbedder(dimension=12), "default", task=learning)
        return dict(zip(keys, result.system("default").rankings, strict=True))

    assert rankings(list(questions)) == rankings(list(reversed(questions)))


def test_a_question_that_is_a_document_does_not_find_itself(settings: Settings, embedder: FakeEmbedder) -> None:
    documents = {key: Record(key, "", f"apples and pears {key}") for key in ("d1", "d2", "d3")}
    questions = {"d1": "apples and pears d1"}
    dataset = assemble("same", documents, questions, {("d1", "d2"): 1, ("d1", "d1"): 1})
    result = evaluated(dataset, settings, embedder, task="similar")
    for system in result.systems:
        assert "d1" not in system.rankings[0], system.name
        assert system.values["R@10"] == (1.0,), system.name


def test_a_long_document_scores_as_its_best_chunk(settings: Settings, embedder: FakeEmbedder) -> None:
    filler = "\n\n".join(f"Paragraph {number} is about weather and rivers and hills." for number in range(80))
    documents = {
        "long": Record("long", "", f"{filler}\n\nThe zebra password is plum.\n\n{filler}"),
        "short": Record("short", "", "Weather and rivers and hills."),
    }
    dataset = assemble("two", documents, {"q": "zebra password plum"}, {("q", "long"): 1})
    result = evaluated(dataset, settings, embedder)
    assert result.chunks > 3
    for system in map(result.system, ("naive", "bm25", "hybrid", "default")):
        assert system.rankings[0][0] == "long", system.name
        assert len(set(system.rankings[0])) == len(system.rankings[0]), system.name


def test_progress_runs_to_the_end_with_the_time_left(
    dataset: Dataset, settings: Settings, embedder: FakeEmbedder
) -> None:
    seen: list[Progress] = []
    context = EvaluationContext(settings, embedder, meter=evaluation_meter(seen.append), resamples=FAST)
    evaluate_systems(context, dataset, in_force(settings, "qa"), ["bm25"])
    stages = list(dict.fromkeys(moment.stage for moment in seen))
    assert stages == ["Reading documents", "Embedding", "Indexing", "Asking naive", "Asking bm25", "Comparing"]
    for stage in stages:
        last = [moment for moment in seen if moment.stage == stage][-1]
        assert last.done == last.total, stage
        assert last.seconds_left is not None


def test_a_run_can_be_stopped_and_keeps_its_vectors(
    dataset: Dataset, settings: Settings, embedder: FakeEmbedder
) -> None:
    cancel = threading.Event()

    def stop(moment: Progress) -> None:
        if moment.stage == "Indexing":
            cancel.set()

    context = EvaluationContext(settings, embedder, meter=evaluation_meter(stop, cancel))
    with pytest.raises(CancelledError, match="kept for the next run"):
        evaluate_systems(context, dataset, in_force(settings, "qa"), ["bm25"])
    again = FakeEmbedder(dimension=256)
    evaluated(dataset, settings, again, "bm25")
    assert again.calls == []


class Backwards:
    """A reranker that likes long texts."""

    def scores(self, question: str, texts: list[str]) -> list[float]:
        return [float(len(text)) for text in texts]


def test_a_reranker_reorders_the_head_of_any_system(
    dataset: Dataset, settings: Settings, embedder: FakeEmbedder
) -> None:
    names = ["bm25", "naive+rerank", "default+rerank"]
    context = EvaluationContext(settings, embedder, Backwards(), resamples=FAST)
    result = evaluate_systems(context, dataset, in_force(settings, "qa"), names)
    length = {record.id: len(as_document(record, "x").text) for record in dataset.documents}
    plain, reordered = result.system("naive").rankings, result.system("naive+rerank").rankings
    for before, after in zip(plain, reordered, strict=True):
        assert [length[key] for key in after] == sorted(length.values(), reverse=True)[:10]
        assert set(before) <= {record.id for record in dataset.documents}
    assert any(before != after for before, after in zip(plain, reordered, strict=True))
    with pytest.raises(SettingsError, match="RAG_RERANKER"):
        evaluated(dataset, settings, embedder, "bm25+rerank")


def test_wrong_names_say_which_are_near(dataset: Dataset, settings: Settings, embedder: FakeEmbedder) -> None:
    with pytest.raises(UnknownNameError, match="hybrid"):
        evaluated(dataset, settings, embedder, "hybird")
    with pytest.raises(UnknownNameError, match="Unknown task"):
        evaluated(dataset, settings, embedder, task="qna")


def test_documents_without_text_are_refused(settings: Settings, embedder: FakeEmbedder) -> None:
    dataset = assemble("empty", {"d": Record("d", "", " ")}, {"q": "x"}, {("q", "d"): 1})
    with pytest.raises(DatasetError, match="no document with any text"):
        evaluated(dataset, settings, embedder)


def test_a_model_without_prompts_has_one_dense_system(
    dataset: Dataset, settings: Settings, embedder: FakeEmbedder, tmp_path: Path
) -> None:
    plain = settings.model_copy(update={"model": str(tmp_path)})
    assert plain.embedding_model.id not in MODELS
    assert evaluated(dataset, plain, embedder).names == ("naive", "bm25", "hybrid", "default")


def test_a_result_survives_being_written(dataset: Dataset, settings: Settings, embedder: FakeEmbedder) -> None:
    result = evaluated(dataset, settings, embedder, "bm25")
    assert from_json(to_json(result)) == result
    with pytest.raises(DatasetError, match="no evaluation report"):
        from_json('{"a": 1}')


def test_movers_are_the_questions_that_changed_most(
    dataset: Dataset, settings: Settings, embedder: FakeEmbedder
) -> None:
    result = evaluated(dataset, settings, embedder, "bm25")
    gained, lost = movers(result, "bm25", "naive", 3)
    differences = result.differences("bm25", "naive")
    assert [mover.difference for mover in gained] == sorted(differences[differences > 0], reverse=True)[:3]
    assert [mover.difference for mover in lost] == sorted(differences[differences < 0])[:3]
    back, _ = movers(result, "naive", "bm25", 3)
    assert [mover.question for mover in back] == [mover.question for mover in lost]


def test_the_same_words_in_both_systems_are_no_difference(
    dataset: Dataset, settings: Settings, embedder: FakeEmbedder
) -> None:
    qa = get_task("qa")
    same = replace(qa, mix=replace(qa.mix, dense_weight=0.0))
    result = evaluated(dataset, settings, embedder, "bm25", "default", task=same)
    rival = next(record for record in result.rivals if record.baseline == "bm25")
    assert rival.difference == pytest.approx(0.0, abs=1e-9)
    assert rival.verdict is Verdict.SAME


def test_none_is_another_name_of_naive() -> None:
    assert [system.name for system in get_systems(["bm25", "none"])] == ["naive", "bm25"]


def test_the_registry_names_its_systems() -> None:
    assert all(name == system.name for name, system in SYSTEMS.items())
    assert STANDARD[0] == "naive"
