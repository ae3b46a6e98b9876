import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.test_chat import ROOT, ask, fresh, html, library, press, start  # noqa: F401

pytestmark = pytest.mark.usefixtures("library")
QUESTION = "How long does the warranty last?"


def given(app):
    return app.session_state["services"].rag.evaluations.thumbs("qa")


def reloaded(app):
    again = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    again.query_params["c"] = app.session_state["conversation"]
    return again.run()


def test_a_thumb_on_an_answer_is_kept_changed_and_taken_back():
    app = ask(start(), QUESTION)
    app.feedback[0].set_value(1).run()
    thumb = given(app)[0]
    assert (thumb.about, thumb.helpful, thumb.question, thumb.mode, thumb.rank) == (
        "answer",
        True,
        QUESTION,
        "task-aware",
        1,
    )
    assert "two years" in thumb.texts[0]
    app.feedback[0].set_value(0).run()
    assert [one.helpful for one in given(app)] == [False]
    app.feedback[0].set_value(None).run()
    assert given(app) == []


def judging(app):
    """The page with the list of sources to judge open, below the last answer."""
    return next(one for one in app.toggle if one.label == "Judge sources").set_value(True).run()


def test_single_sources_of_the_last_answer_can_be_judged():
    app = ask(start(), QUESTION)
    assert len(app.feedback) == 1
    shown = html(judging(app))
    assert 'rag-name">guide.md' in shown
    app.feedback[2].set_value(0).run()
    app.feedback[1].set_value(1).run()
    assert [(one.about, one.helpful, one.rank) for one in given(app)] == [("citation", False, 2), ("citation", True, 1)]
    assert [one.value for one in app.feedback][:3] == [None, 1, 0]


def test_earlier_answers_keep_one_thumb_each():
    app = ask(ask(start(), QUESTION), "How do I clean the filter?")
    judging(app.run())
    first = next(one for one in app.feedback)
    sources = len(app.feedback) - 2
    assert sources == len(app.session_state["messages"][1][-1].sides[0].rated.retrieved.hits)
    first.set_value(1).run()
    assert [one.question for one in given(app)] == [QUESTION]


def test_thumbs_are_there_after_a_reload_and_count_once():
    app = ask(start(), QUESTION)
    app.feedback[0].set_value(1).run()
    judging(app).feedback[1].set_value(1).run()
    before = given(app)
    again = judging(reloaded(app))
    assert [one.value for one in again.feedback][:2] == [1, 1]
    again.feedback[0].set_value(0).run()
    after = given(again)
    assert [(one.about, one.helpful) for one in after] == [("citation", True), ("answer", False)]
    assert (after[1].points, after[1].documents, after[1].texts, after[1].rank, after[1].strategy) == (
        before[0].points,
        before[0].documents,
        before[0].texts,
        before[0].rank,
        before[0].strategy,
    )


def test_both_sides_of_a_comparison_are_judged_apart():
    app = start()
    app.toggle(key="pick-compare").set_value(True).run()
    ask(app, QUESTION)
    keys = [one.key for one in app.feedback]
    assert len(set(keys)) == len(keys)
    naive = next(one for one in app.feedback if one.key.endswith("-1-1"))
    naive.set_value(0).run()
    assert [(one.mode, one.helpful) for one in given(app)] == [("naive", False)]
    assert [one.value for one in app.feedback if one.key.endswith("-1-0")] == [None]


def test_a_failed_answer_has_no_thumb(monkeypatch):
    monkeypatch.setenv("RAG_LLM_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("RAG_LLM_MODEL", "none")
    monkeypatch.setenv("RAG_LLM_TIMEOUT", "2")
    app = ask(start(), QUESTION)
    assert len(app.feedback) == 0
    assert len(reloaded(app).feedback) == 0


def test_drawing_thumbs_asks_nothing(monkeypatch):
    app = ask(start(), QUESTION)
    rag = app.session_state["services"].rag

    def refuse(*args, **kwargs):
        raise AssertionError("not on a mere rerun")

    for name in ("thumbs", "recall", "judged", "judge_answer", "judge_source", "take_back"):
        monkeypatch.setattr(rag.evaluations, name, refuse)
    app.run()
    assert not app.exception
    assert app.feedback
