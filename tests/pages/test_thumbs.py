import pytest

from tests.pages.app_driver import ask, html

pytestmark = pytest.mark.usefixtures("library")
QUESTION = "How long does the warranty last?"


def thumbs(app):
    return app.session_state["services"].rag.evaluations.thumbs("qa")


@pytest.fixture
def reload(start):
    """Opens the conversation of an app in a session of its own."""
    return lambda app: start(conversation=app.session_state["conversation"])


def test_a_thumb_on_an_answer_is_kept_changed_and_taken_back(start):
    app = ask(start(), QUESTION)
    app.feedback[0].set_value(1).run()
    thumb = thumbs(app)[0]
    assert (thumb.about, thumb.helpful, thumb.question, thumb.mode, thumb.rank) == (
        "answer",
        True,
        QUESTION,
        "task-aware",
        1,
    )
    assert "two years" in thumb.texts[0]
    app.feedback[0].set_value(0).run()
    assert [thumb.helpful for thumb in thumbs(app)] == [False]
    app.feedback[0].set_value(None).run()
    assert thumbs(app) == []


def judging(app):
    """The page with the list of sources to judge open, below the last answer."""
    return next(widget for widget in app.toggle if widget.label == "Judge sources").set_value(True).run()


def test_single_sources_of_the_last_answer_can_be_judged(start):
    app = ask(start(), QUESTION)
    assert len(app.feedback) == 1
    shown = html(judging(app))
    assert 'rag-name">guide.md' in shown
    app.feedback[2].set_value(0).run()
    app.feedback[1].set_value(1).run()
    assert [(thumb.about, thumb.helpful, thumb.rank) for thumb in thumbs(app)] == [
        ("citation", False, 2),
        ("citation", True, 1),
    ]
    assert [widget.value for widget in app.feedback][:3] == [None, 1, 0]


def test_earlier_answers_keep_one_thumb_each(start):
    app = ask(ask(start(), QUESTION), "How do I clean the filter?")
    judging(app.run())
    first = next(widget for widget in app.feedback)
    sources = len(app.feedback) - 2
    assert sources == len(app.session_state["messages"][1][-1].sides[0].rated.retrieved.hits)
    first.set_value(1).run()
    assert [thumb.question for thumb in thumbs(app)] == [QUESTION]


def test_thumbs_are_there_after_a_reload_and_count_once(start, reload):
    app = ask(start(), QUESTION)
    app.feedback[0].set_value(1).run()
    judging(app).feedback[1].set_value(1).run()
    before = thumbs(app)
    again = judging(reload(app))
    assert [widget.value for widget in again.feedback][:2] == [1, 1]
    again.feedback[0].set_value(0).run()
    after = thumbs(again)
    assert [(thumb.about, thumb.helpful) for thumb in after] == [("citation", True), ("answer", False)]
    assert (after[1].points, after[1].documents, after[1].texts, after[1].rank, after[1].strategy) == (
        before[0].points,
        before[0].documents,
        before[0].texts,
        before[0].rank,
        before[0].strategy,
    )


def test_both_sides_of_a_comparison_are_judged_apart(start):
    app = start()
    app.toggle(key="pick-compare").set_value(True).run()
    ask(app, QUESTION)
    keys = [widget.key for widget in app.feedback]
    assert len(set(keys)) == len(keys)
    naive = next(widget for widget in app.feedback if widget.key.endswith("-1-1"))
    naive.set_value(0).run()
    assert [(thumb.mode, thumb.helpful) for thumb in thumbs(app)] == [("naive", False)]
    assert [widget.value for widget in app.feedback if widget.key.endswith("-1-0")] == [None]


def test_a_failed_answer_has_no_thumb(monkeypatch, start, reload):
    monkeypatch.setenv("RAG_LLM_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("RAG_LLM_MODEL", "none")
    monkeypatch.setenv("RAG_LLM_TIMEOUT", "2")
    app = ask(start(), QUESTION)
    assert len(app.feedback) == 0
    assert len(reload(app).feedback) == 0


def test_drawing_thumbs_asks_nothing(monkeypatch, start):
    app = ask(start(), QUESTION)
    rag = app.session_state["services"].rag

    def refuse(*args, **kwargs):
        raise AssertionError("not on a mere rerun")

    for name in ("thumbs", "recall", "judged", "judge_answer", "judge_source", "take_back"):
        monkeypatch.setattr(rag.evaluations, name, refuse)
    app.run()
    assert not app.exception
    assert app.feedback
