"""The behaviour that every engine has, the tests' own included."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rag.errors import IndexClosedError
from rag.index import collection_name, point_id
from rag.types import Filter, IndexEngine, Mode, Search, VectorIndex
from tests.build import DIMENSION, EVERYTHING, RECIPE, payload, point, points, terms, unit

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


def texts(hits: list) -> list[str]:
    return [hit.payload.chunk.text for hit in hits]


def ask(
    index: VectorIndex, text: str, where: Filter = EVERYTHING, limit: int = 10, analyser: str = "prose"
) -> list[str]:
    return texts(index.search([Search(where, limit, terms=terms(text, analyser))])[0])


def near(
    index: VectorIndex, text: str, where: Filter = EVERYTHING, limit: int = 10, using: Mode = Mode.TASK_AWARE
) -> list[str]:
    return texts(index.search([Search(where, limit, vector=unit(text), using=using)])[0])


def test_an_empty_index_answers_with_nothing(index: VectorIndex) -> None:
    assert index.count() == 0
    assert index.versions() == set()
    assert list(index.scroll(EVERYTHING)) == []
    assert index.search([Search(EVERYTHING, 3, vector=unit("x")), Search(EVERYTHING, 3, terms=terms("x"))]) == [[], []]
    assert index.search([]) == []
    assert index.vectors_by_content("default", ["x"]) == {}
    index.upsert([])
    index.delete_versions([])


def test_payload_comes_back_whole_but_for_the_inputs(index: VectorIndex) -> None:
    passage = point(
        "Zoë said: \x00 \U0001f600 « ok »\r\n\t",
        name="guides/ß.pdf",
        key="row 7",
        title="Ein Titel",
        media_type="pdf",
        language="python",
        ordinal=3,
        start=17,
        end=40,
        headings=("One", "Two"),
        page_start=2,
        page_end=3,
        line_start=8,
        line_end=9,
        symbol="Class.method",
        answer="forty-two",
        summary="all of it",
    )
    index.upsert([passage])
    stored = next(index.scroll(EVERYTHING))[0]
    assert stored.id == passage.id
    assert stored.payload == replace(passage.payload, chunk=replace(passage.payload.chunk, inputs=()))
    assert index.search([Search(EVERYTHING, 1, vector=unit("x"))])[0][0].payload == stored.payload


def test_the_nearest_vector_is_first_and_its_score_is_the_cosine(index: VectorIndex) -> None:
    index.upsert(points("red", "green", "blue"))
    hits = index.search([Search(EVERYTHING, 3, vector=unit("green"))])[0]
    assert texts(hits)[0] == "green"
    assert hits[0].score == pytest.approx(1.0, abs=1e-5)
    for hit in hits:
        assert hit.score == pytest.approx(float(unit("green") @ unit(hit.payload.chunk.text)), abs=1e-5)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_mode_searches_its_own_vectors(index: VectorIndex) -> None:
    index.upsert(points("red", "green"))
    assert near(index, "naive red", using=Mode.NAIVE, limit=1) == ["red"]
    assert index.search([Search(EVERYTHING, 1, vector=unit("naive red"), using=Mode.NAIVE)])[0][0].score > 0.999


def test_points_without_a_naive_vector_are_found_by_the_other_mode_only(index: VectorIndex) -> None:
    index.upsert([point("red", naive=False), point("green", document="d2")])
    assert sorted(near(index, "red")) == ["green", "red"]
    assert near(index, "red", using=Mode.NAIVE) == ["green"]


def test_bm25_finds_inflected_words_and_ignores_others(index: VectorIndex) -> None:
    index.upsert(points("How to connect a speaker", "Connecting speakers by cable", "Cleaning the screen"))
    assert sorted(ask(index, "Is the speaker connected?")) == [
        "Connecting speakers by cable",
        "How to connect a speaker",
    ]
    assert ask(index, "what is it") == []


def test_bm25_prefers_the_rare_word_and_the_short_text(index: VectorIndex) -> None:
    index.upsert(points("apple pear", "apple apple plum fig grape melon", "apple kiwi", "apple lime"))
    assert ask(index, "apple kiwi")[0] == "apple kiwi"
    assert ask(index, "plum")[0].startswith("apple apple plum")


def test_bm25_reads_title_headings_and_symbol(index: VectorIndex) -> None:
    index.upsert([point("nothing here", title="Warranty", headings=("Coverage",), symbol="load_file")])
    for word in ("warranty", "coverage", "load"):
        assert ask(index, word) == ["nothing here"]


def test_bm25_of_a_long_text_weighs_what_it_repeats(index: VectorIndex) -> None:
    index.upsert(points("zebra stripes", "quagga stripes"))
    assert ask(index, "a quagga, a zebra and one more quagga")[0] == "quagga stripes"
    assert ask(index, "a quagga, a zebra and one more zebra")[0] == "zebra stripes"


def test_bm25_on_code_splits_identifiers(engine: IndexEngine) -> None:
    index = engine.open(replace(RECIPE, task="code"))
    index.upsert(points("def parseHTTPHeader(raw_line): pass", "def other(): pass", analyser="code"))
    for question in ("parse header", "raw line", "HTTP", "parseHTTPHeader", "parse_http_header"):
        assert ask(index, question, analyser="code") == ["def parseHTTPHeader(raw_line): pass"], question


def test_dense_and_bm25_run_in_one_call(index: VectorIndex) -> None:
    index.upsert(points("red apple", "green pear"))
    searches = [Search(EVERYTHING, 1, vector=unit("green pear")), Search(EVERYTHING, 1, terms=terms("apple"))]
    dense, lexical = index.search(searches)
    assert (texts(dense), texts(lexical)) == (["green pear"], ["red apple"])


def test_nobody_reads_another_workspace(index: VectorIndex) -> None:
    index.upsert([point("mine"), point("theirs", workspace="away", document="d2")])
    assert near(index, "theirs") == ["mine"]
    assert ask(index, "theirs") == []
    assert index.count(EVERYTHING) == 1
    assert index.count() == 2
    assert texts(next(index.scroll(EVERYTHING))) == ["mine"]
    content = payload("theirs").content
    assert index.vectors_by_content("default", [content]) == {}
    assert set(index.vectors_by_content("away", [content])) == {content}


def test_filters_by_version_document_and_name(index: VectorIndex) -> None:
    index.upsert(
        [
            point("one red", version="v1", document="d1", name="a.txt"),
            point("two red", version="v2", document="d2", name="b.txt"),
            point("three red", version="v3", document="d3", name="b.txt"),
        ]
    )
    for where, visible in [
        (Filter("default", hidden_versions=("v2", "gone")), {"one red", "three red"}),
        (Filter("default", documents=("d1", "d2")), {"one red", "two red"}),
        (Filter("default", names=("b.txt",)), {"two red", "three red"}),
        (Filter("default", hidden_versions=("v3",), names=("b.txt",)), {"two red"}),
        (Filter("default", versions=("v1", "v2")), {"one red", "two red"}),
        (Filter("default", hidden_versions=("v2",), versions=("v1", "v2")), {"one red"}),
        (Filter("default", versions=()), set()),
        (Filter("default", documents=()), set()),
        (Filter("default", names=("c.txt",)), set()),
    ]:
        assert set(near(index, "one red", where)) == visible
        assert set(ask(index, "red", where)) == visible
        assert index.count(where) == len(visible)
        assert {text for batch in index.scroll(where) for text in texts(batch)} == visible


@pytest.mark.parametrize("hidden", [1, 10, 45])
def test_hidden_versions_never_crowd_out_the_others(index: VectorIndex, hidden: int) -> None:
    index.upsert([point(f"red {n}", document=f"d{n}") for n in range(5)])
    index.upsert([point("red", document=f"h{n}", version=f"h{n % 3}") for n in range(hidden)])
    where = Filter("default", hidden_versions=("h0", "h1", "h2"))
    for ranking in (near(index, "red", where, limit=5), ask(index, "red", where, limit=5)):
        assert sorted(ranking) == [f"red {n}" for n in range(5)]
    assert near(index, "red", where, limit=50) == near(index, "red", where, limit=5)
    assert near(index, "red", limit=1) == ["red"]


def test_writing_twice_is_writing_once(index: VectorIndex) -> None:
    index.upsert(points("red", "green"))
    index.upsert(points("red", "green"))
    assert index.count() == 2
    assert len(ask(index, "red")) == 1


def test_writing_over_a_point_replaces_all_of_it(index: VectorIndex) -> None:
    index.upsert([point("red")])
    index.upsert([point("green", naive=False)])
    stored = next(index.scroll(EVERYTHING, with_vectors=True))[0]
    assert stored.payload.chunk.text == "green"
    assert set(stored.vectors) == {Mode.TASK_AWARE}
    assert ask(index, "red") == []


def test_scroll_gives_every_point_once_in_id_order(index: VectorIndex) -> None:
    written = points(*(f"text {n}" for n in range(600)))
    index.upsert(written)
    batches = list(index.scroll(EVERYTHING, batch=100))
    ids = [stored.id for batch in batches for stored in batch]
    assert ids == sorted(p.id for p in written)
    assert max(len(batch) for batch in batches) == 100
    assert not batches[0][0].vectors


def test_scroll_gives_vectors_when_asked(index: VectorIndex) -> None:
    index.upsert([point("red")])
    stored = next(index.scroll(EVERYTHING, with_vectors=True))[0]
    np.testing.assert_allclose(stored.vectors[Mode.TASK_AWARE], unit("red"), atol=1e-6)
    np.testing.assert_allclose(stored.vectors[Mode.NAIVE], unit("naive red"), atol=1e-6)
    assert stored.vectors[Mode.NAIVE].dtype == np.float32


def test_vectors_by_content_finds_what_exists(index: VectorIndex) -> None:
    written = points(*(f"text {n}" for n in range(300)))
    index.upsert(written)
    index.upsert(points(*(f"text {n}" for n in range(300)), version="v2"))
    vectors = index.vectors_by_content("default", [p.payload.content for p in written] + ["absent"])
    assert set(vectors) == {p.payload.content for p in written}
    for p in written[::50]:
        np.testing.assert_allclose(vectors[p.payload.content][Mode.TASK_AWARE], p.vectors[Mode.TASK_AWARE], atol=1e-6)


def test_vectors_by_content_prefers_the_point_with_both_vectors(index: VectorIndex) -> None:
    bare = [point("red", naive=False, version=f"v{n}") for n in range(8)]
    index.upsert([*bare, point("red", version="v9")])
    assert set(index.vectors_by_content("default", [payload("red").content])[payload("red").content]) == set(Mode)


def test_versions_are_listed_and_deleted(index: VectorIndex) -> None:
    for n in range(30):
        index.upsert(points("red", "green", version=f"v{n}"))
    assert index.versions() == {f"v{n}" for n in range(30)}
    index.delete_versions([f"v{n}" for n in range(1, 30)] + ["absent"])
    assert index.versions() == {"v0"}
    assert index.count() == 2
    assert len(ask(index, "red")) == 1


def test_the_points_of_every_version_are_counted(index: VectorIndex) -> None:
    assert index.version_counts() == {}
    index.upsert([*points("red", "green", version="v1"), point("blue", version="v2")])
    assert index.version_counts() == {"v1": 2, "v2": 1}
    index.delete_versions(["v1"])
    assert index.version_counts() == {"v2": 1}


def test_ties_are_in_id_order(index: VectorIndex) -> None:
    index.upsert([point("same words", document=f"d{n}") for n in range(20)])
    for search in (
        Search(EVERYTHING, 20, vector=unit("same words")),
        Search(EVERYTHING, 20, terms=terms("same words")),
    ):
        ids = [hit.id for hit in index.search([search])[0]]
        assert ids == sorted(ids)
        assert len(ids) == 20


@pytest.mark.parametrize(
    ("search", "complaint"),
    [
        (Search(EVERYTHING, 3), "neither"),
        (Search(EVERYTHING, 3, vector=unit("x"), terms=terms("x")), "both"),
        (Search(EVERYTHING, 0, terms=terms("x")), "limit"),
        (Search(EVERYTHING, 3, vector=np.ones(DIMENSION + 1, np.float32)), r"\(16,\)"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(index: VectorIndex, search: Search, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        index.search([search])


def test_a_question_without_words_finds_nothing(index: VectorIndex) -> None:
    index.upsert(points("red"))
    for text in ("", "?!", "the of"):
        assert ask(index, text) == []


def test_the_limit_holds(index: VectorIndex) -> None:
    index.upsert(points(*(f"red {n}" for n in range(20))))
    assert len(near(index, "x", limit=7)) == 7
    assert len(ask(index, "red red red", limit=7)) == 7


def test_a_closed_index_says_so(index: VectorIndex) -> None:
    index.close()
    index.close()
    calls = [
        lambda: index.upsert([point("x")]),
        lambda: index.search([Search(EVERYTHING, 1, terms=terms("x"))]),
        lambda: index.vectors_by_content("default", ["x"]),
        lambda: list(index.scroll(EVERYTHING)),
        lambda: index.count(),
        lambda: index.versions(),
        lambda: index.delete_versions(["v"]),
    ]
    for call in calls:
        with pytest.raises(IndexClosedError, match="closed"):
            call()


def test_opening_twice_gives_one_index_and_reopening_keeps_the_points(engine: IndexEngine) -> None:
    index = engine.open(RECIPE)
    assert engine.open(RECIPE) is index
    assert index.name == collection_name(RECIPE)
    index.upsert(points("red", "green"))
    index.close()
    again = engine.open(RECIPE)
    assert again is not index
    assert again.count() == 2
    assert ask(again, "red") == ["red"]


def test_collections_are_listed_and_dropped(engine: IndexEngine) -> None:
    other = replace(RECIPE, task="faq")
    assert engine.collections() == []
    index = engine.open(RECIPE)
    engine.open(other)
    assert engine.collections() == sorted([collection_name(RECIPE), collection_name(other)])
    engine.drop(collection_name(RECIPE))
    engine.drop("qa-000000000000")
    assert engine.collections() == [collection_name(other)]
    with pytest.raises(IndexClosedError):
        index.count()
    assert engine.open(RECIPE).count() == 0


def test_tasks_and_recipes_do_not_mix(engine: IndexEngine) -> None:
    engine.open(RECIPE).upsert(points("red"))
    assert engine.open(replace(RECIPE, task="faq")).count() == 0
    assert engine.open(replace(RECIPE, precision="int8")).count() == 0


def test_a_collection_opens_by_its_name_whatever_recipe_built_it(engine: IndexEngine) -> None:
    name = collection_name(RECIPE)
    assert engine.open_as_built(name) is None
    index = engine.open(RECIPE)
    index.upsert(points("red", "green"))
    assert engine.open_as_built(name) is index
    index.close()
    again = engine.open_as_built(name)
    assert again is not None
    assert again.name == name
    content = payload("red").content
    assert set(again.vectors_by_content("default", [content])) == {content}
    assert sorted(texts(next(again.scroll(EVERYTHING)))) == ["green", "red"]
    again.delete_versions(["v1"])
    assert engine.open(RECIPE).count() == 0


def test_a_collection_knows_its_recipe_and_its_owner(engine: IndexEngine) -> None:
    name = collection_name(RECIPE)
    engine.open(RECIPE).upsert(points("red"))
    assert engine.recipe(name) == RECIPE
    assert engine.owner(name) == ""
    engine.claim(name, "ours")
    assert engine.owner(name) == "ours"
    assert engine.open(RECIPE).count() == 1
    engine.claim(name, "theirs")
    assert engine.owner(name) == "theirs"
    engine.open(RECIPE).close()
    assert engine.open(RECIPE).count() == 1, "the owner is no part of the recipe"


def test_ids_are_stable() -> None:
    assert point_id("v1", "d1", 0) == point_id("v1", "d1", 0)
    names = [("v1", "d1", 0), ("v1", "d1", 1), ("v1", "d10", 0), ("v2", "d1", 0), ("v", "1d1", 0)]
    assert len({point_id(*name) for name in names}) == len(names)


def test_a_dense_search_returns_the_vectors_it_compared_when_asked(index: VectorIndex) -> None:
    index.upsert(points("red", "green", "blue"))
    search = Search(EVERYTHING, 3, vector=unit("green"), with_vectors=True)
    hits, bare, by_terms = index.search(
        [search, replace(search, with_vectors=False), Search(EVERYTHING, 3, terms=terms("red"))]
    )
    assert [hit.id for hit in hits] == [hit.id for hit in bare]
    for hit in hits:
        assert hit.vector is not None
        assert float(hit.vector @ unit("green")) == pytest.approx(hit.score, abs=1e-5)
    assert all(hit.vector is None for hit in [*bare, *by_terms])


def test_a_search_by_terms_returns_the_terms_of_each_point(index: VectorIndex) -> None:
    passage = point("Connecting speakers", title="Sound", headings=("Connections",))
    index.upsert([passage])
    (hit,) = index.search([Search(EVERYTHING, 1, terms=terms("speaker"))])[0]
    assert hit.terms == passage.terms == "sound connect connect speaker"


def test_a_term_counts_as_often_as_it_is_repeated_and_three_times_at_most(index: VectorIndex) -> None:
    index.upsert(points("zebra", "other words"))

    def score(*repeated: str) -> float:
        return index.search([Search(EVERYTHING, 1, terms=repeated)])[0][0].score

    single = score("zebra")
    for times, counted in ((2, 2), (3, 3), (7, 3)):
        assert score(*["zebra"] * times) == pytest.approx(counted * single, rel=1e-5)


def test_terms_are_those_of_the_workspace_in_batches(index: VectorIndex) -> None:
    index.upsert(
        [*points("How to connect a speaker", "Cleaning the screen"), point("other", workspace="w2", version="v2")]
    )
    batches = list(index.terms(EVERYTHING, batch=1))
    assert [len(batch) for batch in batches] == [1, 1]
    assert {passage for batch in batches for passage in batch} == {"connect speaker", "clean screen"}
    assert list(index.terms(replace(EVERYTHING, workspace="nobody"))) == []
