import re

import pytest
from sqlalchemy import event

from rag.settings import variable
from tests.llm_server import FAULTS, answers, serving, settings_for
from tests.pages.app_driver import ask, html, new_app, press, texts, wait_for_jobs
from tests.pages.texts import GUIDE, HOSTILE


def test_an_empty_library_offers_the_sample(start):
    app = start()
    assert "give it something to read" in html(app)
    assert any(button.label == "Load the sample library" for button in app.button)
    assert not app.chat_input


def test_the_sample_library_loads_in_the_background(start):
    import streamlit as st

    app = wait_for_jobs(press(start(), "Load the sample library"))
    st.cache_data.clear()
    app.run()
    assert app.chat_input
    assert app.session_state["services"].jobs.views()[0].state == "done"


def test_a_question_gets_an_answer_with_a_citation_and_sources(library, start):
    app = ask(start(), "How long does the warranty last?")
    assert [message.name for message in app.chat_message] == ["user", "assistant"]
    shown = html(app)
    assert "two years" in shown
    assert 'class="rag-cite"' in shown
    assert "guide.md" in shown
    assert "<mark>" in shown


def test_the_conversation_is_found_again_after_a_reload(library, start):
    app = ask(start(), "How long does the warranty last?")
    conversation = app.query_params["c"]
    again = start(conversation=conversation[0] if isinstance(conversation, list) else conversation)
    assert [message.name for message in again.chat_message] == ["user", "assistant"]
    assert "two years" in html(again)


@pytest.mark.parametrize("name", ["content_filter", "connection refused"])
def test_an_answer_that_is_not_whole_says_so_at_once_and_after_a_reload(library, start, monkeypatch, name):
    fault = FAULTS[name]
    with serving(fault.play or answers("unused")) as server:
        for setting, value in settings_for(fault, server).items():
            monkeypatch.setenv(variable(setting), str(value))
        app = ask(start(), "How long does the warranty last?")
        again = start(conversation=app.session_state["conversation"])
    for shown in (html(app), html(again)):
        assert re.search(rf'class="rag-error">.*{fault.words}', shown)
        assert (fault.text.strip() or "two years") in shown
        assert "guide.md" in shown


def test_an_unknown_conversation_is_a_new_one(library, start):
    app = start(conversation="nowhere")
    assert not app.chat_message
    assert app.chat_input


def test_conversations_can_be_left_switched_and_deleted(library, start):
    app = ask(start(), "How long does the warranty last?")
    first = app.session_state["conversation"]
    press(app, "New conversation")
    assert not app.chat_message
    ask(app, "How do I clean the filter?")
    assert app.session_state["conversation"] != first
    app.radio(key="chosen").set_value(first).run()
    assert "How long does the warranty last?" in html(app)
    press(app, "Delete this conversation")
    assert not app.chat_message
    assert len(app.session_state["services"].rag.conversations()) == 1


def test_conversations_with_one_title_stay_apart(library, start):
    app = ask(start(), "How long does the warranty last?")
    first = app.session_state["conversation"]
    press(app, "New conversation")
    ask(app, "How long does the warranty last?")
    assert app.session_state["conversation"] != first
    assert len(set(app.radio(key="chosen").options)) == 2


def test_the_task_is_kept_over_pages_and_comes_back_with_its_conversation(library, start):
    app = ask(start(), "How long does the warranty last?")
    first = app.session_state["conversation"]
    app.get("button_group")[0].set_value("faq").run()
    assert app.session_state["conversation"] == ""
    app = app.switch_page("pages/documents.py").run()
    app = app.switch_page("pages/chat.py").run()
    assert app.session_state["task"] == "faq"
    app.radio(key="chosen").set_value(first).run()
    assert app.session_state["task"] == "qa"
    assert len(app.chat_message) == 2


def test_compare_shows_both_answers_and_rank_changes(library, start):
    app = start()
    app.toggle(key="pick-compare").set_value(True).run()
    shown = html(ask(app, "How long does the warranty last?"))
    assert "Task-aware" in shown
    assert "Naive" in shown
    assert "data-change" in shown
    follow = html(ask(app, "And how do I clean the filter?"))
    assert follow.count("data-change") > shown.count("data-change") / 2
    talk = app.session_state["services"].rag.turns(app.session_state["conversation"])
    assert [turn.role for turn in talk] == ["user", "assistant"] * 2


def test_only_chosen_files_are_searched(library, start):
    app = start()
    app.multiselect(key="only-qa").set_value(["other.txt"]).run()
    shown = html(ask(app, "How long does the warranty last?"))
    assert "other.txt" in shown
    assert 'rag-name">guide.md' not in shown


def test_the_questions_of_the_sample_are_one_click_whatever_their_task(fill, start):
    from rag import TASKS

    fill([("policies/returns-and-warranty.md", GUIDE.encode())])
    fill([("support/faq.csv", b"question,answer\nDo I need a key?,No key is needed.\n")], "faq")
    questions = [f"{TASKS[task].title}: {question}" for task in ("qa", "faq") for question in TASKS[task].examples]
    app = start()
    assert [button.label for button in app.button if ": " in button.label] == questions
    app = press(app, questions[-1])
    assert [message.name for message in app.chat_message] == ["user", "assistant"]
    assert app.segmented_control(key="pick-task").value == "faq"


def test_own_documents_are_not_asked_about_the_sample(library, start):
    assert [button.label for button in start().button if ": " in button.label] == []


def test_a_file_in_a_folder_of_the_same_name_is_not_the_sample(fill, start):
    fill([("policies/holidays.md", GUIDE.encode())])
    assert [button.label for button in start().button if ": " in button.label] == []


@pytest.mark.parametrize("task", ["faq", "similar", "code", "summary"])
def test_every_task_says_what_it_is_and_answers(task, fill, start):
    from rag import TASKS

    uploads = {
        "faq": ("faq.csv", b"question,answer\nDo I need a key?,No key is needed.\nHow big is it?,Quite small.\n"),
        "similar": ("a.md", GUIDE.encode()),
        "code": ("tool.py", b"def clean_filter(water):\n    return water.warm()\n"),
        "summary": ("a.md", GUIDE.encode()),
    }
    fill([uploads[task]], task)
    app = start()
    app.session_state["task"] = task
    app.run()
    assert TASKS[task].title in html(app)
    question = {"faq": "Do I need a key?", "code": "clean the filter"}.get(task, "warranty of the motor")
    shown = html(ask(app, question))
    expected = {"faq": "No key is needed.", "code": "clean_filter", "similar": "a.md", "summary": "a.md"}
    assert expected[task] in shown
    if task == "code":
        assert 'class="rag-lines">1\n2<' in shown
        assert "lines 1-2" in shown


def test_a_dead_llm_shows_the_sources_and_the_setting(library, monkeypatch, start):
    monkeypatch.setenv("RAG_LLM_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("RAG_LLM_MODEL", "none")
    monkeypatch.setenv("RAG_LLM_TIMEOUT", "2")
    shown = html(ask(start(), "How long does the warranty last?"))
    assert "rag-error" in shown
    assert "RAG_LLM_BASE_URL" in shown
    assert "guide.md" in shown


def test_a_changed_prompt_names_the_remedy_on_every_page(library, monkeypatch, start):
    monkeypatch.setenv("RAG_QUERY_PROMPT", "ask: ")
    monkeypatch.setenv("RAG_DOCUMENT_PROMPT", "tell: ")
    app = ask(start(), "How long does the warranty last?")
    assert "reindex" in app.error[0].value
    assert "reindex" in start("status").error[0].value


def test_wrong_settings_are_a_message(monkeypatch):
    monkeypatch.setenv("RAG_TOP_K", "many")
    app = new_app().run()
    assert "RAG" in app.error[0].value
    assert len(app.error) == 1


def test_hostile_names_and_texts_reach_no_markdown(fill, start):
    fill([(f"{HOSTILE}.md", f"# {HOSTILE}\n\nThe warranty {HOSTILE} lasts two years.".encode())])
    fill([("![x](https://evil.example/c.png).pdf", b"%PDF-1.4 broken")])
    app = ask(start(), f"How long does the warranty last? {HOSTILE}")
    pages = [app, start("documents"), start("status")]
    for page in pages:
        assert "<img" not in html(page)
        assert "<a " not in html(page)
        for kind in ("markdown", "caption", "title", "subheader", "error", "success", "button", "radio"):
            for element in getattr(page, kind):
                texts = [str(getattr(element, "value", "")), str(getattr(element, "label", ""))]
                texts += [str(option) for option in getattr(element, "options", [])]
                assert not any("](" in text or "://" in text or "<img" in text for text in texts), texts


def test_the_documents_page_lists_files_and_failures(library, start):
    app = start()
    app.session_state["services"].rag.ingest_uploads([("empty.txt", b"")], "qa")
    app = app.switch_page("pages/documents.py").run()
    assert not app.exception
    assert app.subheader[0].value == "2 files"
    assert list(app.dataframe[0].value["File"]) == ["guide.md", "other.txt"]
    assert "empty.txt" in html(app)
    press(app, "Dismiss")
    assert "empty.txt" not in html(app)


def test_uploads_are_read_in_the_background_and_can_replace(start):
    app = start("documents")
    app.file_uploader[0].set_value([("guide.md", GUIDE.encode(), "text/markdown"), ("bad.pdf", b"%PDF-1.4", "")]).run()
    press(app, "Add 2 files")
    wait_for_jobs(app)
    assert "1 added, 1 failed" in html(app)
    assert app.subheader[0].value == "1 file"
    app.file_uploader[0].set_value([("guide.md", b"# New\n\nThe warranty lasts three years.", "text/markdown")]).run()
    press(app, "Add 1 file")
    wait_for_jobs(app)
    assert "1 replaced" in html(app)
    assert app.subheader[0].value == "1 file"


def test_the_status_page_shows_exact_prompts_and_no_secret(library, monkeypatch, start):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    monkeypatch.setenv("RAG_LLM_MODEL", "some-model")
    app = start("status")
    shown = html(app)
    assert "&quot;query: &quot;" in shown
    assert "&quot;passage: &quot;" in shown
    assert "some-model" in shown
    assert "sk-very-secret" not in str(app)


def test_drawing_the_chat_again_opens_nothing_and_asks_no_message(library, embedder, monkeypatch, start):
    app = ask(start(), "How long does the warranty last?")
    rag = app.session_state["services"].rag

    def refuse(*args, **kwargs):
        raise AssertionError("not on a mere rerun")

    for name in ("turns", "search", "compare", "ask", "status"):
        monkeypatch.setattr(rag, name, refuse)
    monkeypatch.setattr(embedder, "encode", refuse)
    app.run()
    assert not app.exception
    assert len(app.chat_message) == 2


def test_a_long_conversation_is_one_piece_of_the_page_before_its_last_messages(library, start):
    app = start()
    for number in range(5):
        ask(app, f"How long is warranty number {number}?")
    app.run()
    assert not app.exception
    assert len(app.chat_message) == 4
    earlier = next(element.proto.body for element in app.get("html") if "rag-earlier" in element.proto.body)
    assert earlier.count('class="rag-turn') == 6
    assert "warranty number 0?" in earlier
    assert "warranty number 3?" not in earlier


def test_an_answer_shows_although_the_disk_is_too_full_to_keep_it(library, start, shared):
    app = start()
    engine = shared().rag._parts.catalog._db._engine
    event.listen(engine, "connect", lambda connection, record: connection.execute("PRAGMA max_page_count=1"))
    engine.dispose()
    ask(app, "How long does the warranty last?" + " really" * 20_000)
    shown = html(app) + texts(app, "error")
    assert "two years" in shown
    assert "This conversation could not be kept. The disk is full" in shown
    assert not shared().rag.turns(shared().rag.conversations()[0].id)
