import io
import json
import zipfile

import pytest

from rag.evaluation.data.sample import sample_questions
from rag.ingest.sample import LIBRARY
from tests.pages.app_driver import ask, button, html, press, texts, unescaped, wait_for_jobs
from tests.pages.texts import HOSTILE, MANUAL


@pytest.fixture
def manual(fill):
    """A library with headings to ask about."""
    fill([("manual.md", MANUAL.encode())])


def dataset(**changes):
    files = {
        "corpus.jsonl": "".join(
            json.dumps({"_id": f"d{n}", "title": "", "text": f"the {word} {HOSTILE}"}) + "\n"
            for n, word in enumerate(("apple", "pear", "plum"))
        ),
        "queries.jsonl": json.dumps({"_id": "q1", "text": f"an apple {HOSTILE}"}) + "\n",
        "qrels/test.tsv": "query-id\tcorpus-id\tscore\nq1\td0\t1\n",
        **changes,
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return stream.getvalue()


def upload(app, name, content):
    app.session_state["measure_on"] = "A dataset of your own"
    app.run()
    return app.file_uploader[0].set_value([(name, content, "application/zip")]).run()


def run(app):
    return wait_for_jobs(press(app, "Run"))


def test_without_documents_the_page_says_what_to_do(start):
    app = start("evaluate")
    assert "no documents to measure on" in texts(app, "caption")
    assert button(app, "Load the sample library")
    assert "Run" not in [widget.label for widget in app.button]


def test_a_run_on_synthetic_judgments_ends_in_a_verdict(manual, start):
    app = start("evaluate")
    assert "8 questions about 8 documents" in texts(app, "text")
    assert "without vectors yet" in texts(app, "text")
    assert "Synthetic judgments" in texts(app, "caption")
    shown = html(run(app))
    assert "<b>Prompts alone: </b>" in shown
    assert "<b>Whole pipeline: </b>" in shown
    assert "Synthetic judgments · 8 questions" in shown
    assert [element.value for element in app.subheader][:3] == [
        "Prompts alone",
        "Whole pipeline",
        "The shipped default against",
    ]
    assert "All vectors are there" in texts(app, "text")
    assert [element.proto.label for element in app.get("download_button")] == [
        "report.md",
        "report.csv",
        "report.json",
        "report.zip",
    ]


def test_the_samples_own_questions_are_asked_where_its_files_are(fill, start):
    name = "policies/training.md"
    fill([(name, (LIBRARY / name).read_bytes())])
    about = [question for question in sample_questions("qa") if question.is_about({name})]
    app = start("evaluate")
    assert app.radio[0].options[0] == f"{len(about)} judged questions of the sample library"
    assert f"{len(about)} questions about" in texts(app, "text")
    assert "questions are about passages that are not in the index" in texts(app, "caption")
    assert "Judgments of the sample library ·" in html(run(app))


@pytest.mark.slow
def test_older_runs_can_be_seen_again_after_a_restart(manual, start):
    app = run(start("evaluate"))
    app.multiselect[0].set_value(["naive", "bm25"]).run()
    run(app)
    again = start("evaluate")
    reports = again.selectbox[0]
    assert len(reports.options) == 2
    assert len(set(reports.options)) == 2
    assert "hybrid" not in html(again)
    reports.set_value(again.session_state["services"].rag.evaluations.reports()[1].as_posix()).run()
    assert "hybrid" in html(again)


def test_questions_that_moved_show_both_rankings(start):
    corpus = {"d0": "the the the the", "d1": "a kiwi is a green fruit that grows on a vine in a warm garden"}
    moving = dataset(
        **{
            "corpus.jsonl": "".join(json.dumps({"_id": key, "text": text}) + "\n" for key, text in corpus.items()),
            "queries.jsonl": json.dumps({"_id": "q1", "text": "the the the kiwi"}) + "\n",
            "qrels/test.tsv": "q1\td1\t1\n",
        }
    )
    app = run(upload(start("evaluate"), "moving.zip", moving))
    app.selectbox(key="report-system").set_value("bm25").run()
    shown = html(app)
    assert '<span class="rag-name">the the the kiwi</span>' in shown
    assert "<th>bm25</th><th>naive</th>" in shown
    assert "<td>1</td><td>✓ a kiwi is a green fruit" in shown
    assert "<td>2</td><td></td><td>✓ a kiwi" in shown


def test_a_dataset_can_be_uploaded_and_its_texts_stay_texts(start):
    app = run(upload(start("evaluate"), "![x](evil).zip", dataset()))
    shown = html(app)
    assert "Uploaded judgments · 1 question" in shown
    assert "<img" not in shown
    assert "<a " not in shown
    for kind in ("markdown", "caption", "subheader", "error", "button", "radio"):
        for element in getattr(app, kind):
            shown = [str(getattr(element, "value", "")), str(getattr(element, "label", ""))]
            assert not any("](" in text or "://" in text or "<img" in text for text in shown), shown


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"no zip at all", "found a file that is no zip"),
        (dataset(**{"queries.jsonl": "{broken\n"}), "line 1"),
        (dataset(**{"qrels/test.tsv": "q1\tnowhere\t1\n"}), "neither in queries"),
    ],
)
def test_a_bad_dataset_is_a_message(content, expected, start):
    app = upload(start("evaluate"), "bad.zip", content)
    assert not app.exception
    assert expected in unescaped(app.error[0].value)
    assert "/tmp" not in app.error[0].value
    assert button(app, "Run").disabled


@pytest.mark.slow
def test_judgments_of_ones_own_come_as_a_file(manual, start):
    app = start("evaluate")
    app.session_state["judgments"] = "file"
    app.run()
    rows = b"How is the battery stored?\tmanual.md\t1\n"
    app.file_uploader[0].set_value([("mine.tsv", rows, "text/plain")]).run()
    assert "1 question about 1 document." in texts(app, "text")
    app.file_uploader[0].set_value([("mine.tsv", rows + b"only a question\n", "text/plain")]).run()
    assert "mine.tsv, line 2" in unescaped(app.error[0].value)


def test_thumbs_are_missing_at_first_and_judge_when_given(library, start):
    app = start("evaluate")
    app.radio[0].set_value("feedback").run()
    assert "Give some in the chat first" in unescaped(app.error[0].value)
    assert button(app, "Run").disabled
    app = ask(app.switch_page("pages/chat.py").run(), "How long does the warranty last?")
    app.feedback[0].set_value(1).run()
    app = app.switch_page("pages/evaluate.py").run()
    assert app.radio[0].options[1] == "Thumbs from the chat (1)"
    app.radio[0].set_value("feedback").run()
    assert "1 question about" in texts(app, "text")
    assert "Thumbs from the chat · 1 question" in html(run(app))


@pytest.mark.slow
def test_a_run_can_be_stopped_and_goes_on_when_the_page_is_left(manual, monkeypatch, start):
    import threading

    app = start("evaluate")
    evaluations = app.session_state["services"].rag.evaluations
    begun = threading.Event()

    def slow(data, task, systems, progress, cancel):
        from rag.jobs import Progress

        progress(Progress("Embedding", 10, 40, "text", rate=5.0, seconds_left=65.0))
        begun.set()
        assert cancel.wait(30)
        from rag import CancelledError

        raise CancelledError("stopped")

    monkeypatch.setattr(evaluations, "run", slow)
    press(app, "Run")
    assert begun.wait(30)
    app.switch_page("pages/documents.py").run()
    app.switch_page("pages/evaluate.py").run()
    assert unescaped(app.get("progress")[0].proto.text) == "Embedding · 10 of 40 texts · 5/s · 1 min 5 s left"
    press(app, "Stop")
    wait_for_jobs(app)
    assert "stopped" in html(app)
    assert "No run yet." in texts(app, "caption")


def test_a_tuned_choice_is_shown_and_can_be_left(manual, tmp_path, start):
    from rag.tasks.profiles import Profile, save_profile

    save_profile(tmp_path / "data", Profile("qa", "query/query", 0.5, 128, dataset=HOSTILE, gain=0.02))
    app = start("evaluate")
    assert "Document Q&A uses a tuned choice" in texts(app, "caption")
    press(app, "Back to the shipped")
    wait_for_jobs(app)
    assert "tuned choice" not in texts(app, "caption")


def test_what_was_chosen_is_used_at_once_and_so_is_what_was_shipped(manual, monkeypatch, tmp_path, start):
    from types import SimpleNamespace

    from rag.tasks.profiles import Profile, save_profile

    app = start("evaluate")
    rag = app.session_state["services"].rag

    def prompt():
        return json.loads(rag._parts.catalog.active_index("qa").recipe)["document_prompt"]

    assert prompt() == "passage: "

    def chosen(data, task, progress, cancel):
        path = save_profile(tmp_path / "data", Profile(task, "query/query", 0.5, 256))
        return SimpleNamespace(words=("query/query is better.",)), path

    monkeypatch.setattr(rag.evaluations, "tune", chosen)
    press(app, "Choose by measurement")
    wait_for_jobs(app)
    assert "<li>query/query is better.</li>" in html(app)
    assert prompt() == "query: "
    press(app, "Back to the shipped")
    wait_for_jobs(app)
    assert prompt() == "passage: "
    assert rag.search("battery").hits


def test_choosing_by_measurement_says_what_it_found(manual, monkeypatch, start):
    app = start("evaluate")
    press(app, "Choose by measurement")
    wait_for_jobs(app)
    assert not app.exception
    assert "Document Q&amp;A: choosing by measurement" in html(app)
    assert app.error or "<li>" in html(app)
