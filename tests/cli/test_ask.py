import re
from contextlib import contextmanager

import pytest

from rag.errors import RagError
from tests.cli.driver import make_rag, parsed
from tests.llm_server import FAULTS, KEY, answers, serving


def test_ask_answers_with_sources(run, library):
    result = run("ask", "How long does the warranty last?")
    assert "two years" in result.stdout
    assert "[1]" in result.stdout
    assert "guide.md" in result.stdout
    assert "Traceback" not in result.stderr


def test_ask_as_json_has_sources_ids_scores_timings_and_the_answer(run, library):
    answer = parsed(run("ask", "How long does the warranty last?", "--json", "--k", "2"))
    assert answer["mode"] == "task-aware"
    assert "two years" in answer["answer"]
    assert len(answer["sources"]) <= 2
    assert {"id", "rank", "score", "scores", "name", "headings", "text"} <= set(answer["sources"][0])
    assert answer["timings"]["total"] >= 0
    assert answer["citations"][0]["id"] == answer["sources"][0]["id"]


def test_compare_as_json_has_both_modes_and_the_rank_changes(run, library):
    both = parsed(run("ask", "How long does the warranty last?", "--compare", "--json"))
    for mode in ("task-aware", "naive"):
        assert both[mode]["mode"] == mode
        assert both[mode]["sources"]
        assert both[mode]["answer"]
        assert both[mode]["timings"]["total"] >= 0
    assert set(both["rank_changes"]) == {source["id"] for source in both["task-aware"]["sources"]}


def test_compare_in_text_shows_both_lists(run, library):
    shown = run("ask", "How long does the warranty last?", "--compare").stdout
    assert "== task-aware" in shown
    assert "== naive" in shown


def test_naive_mode_is_dense_without_prompts(run, library):
    answer = parsed(run("search", "warranty", "--mode", "naive", "--json"))
    assert (answer["mode"], answer["strategy"]) == ("naive", "dense")


@pytest.mark.parametrize("strategy", ["dense", "bm25", "hybrid"])
def test_search_takes_every_strategy(run, library, strategy):
    answer = parsed(run("search", "clean the filter", "--strategy", strategy, "--json"))
    assert answer["strategy"] == strategy
    assert answer["sources"][0]["name"] == "guide.md"
    assert "answer" not in answer


def test_search_only_in_named_files(run, library):
    answer = parsed(run("search", "warranty", "--file", "other.txt", "--json"))
    assert {source["name"] for source in answer["sources"]} == {"other.txt"}


def test_search_in_an_empty_library_finds_nothing_and_says_so(run):
    assert "nothing found" in run("search", "warranty", code=1).stderr


def test_a_question_can_come_from_standard_input(run, library):
    assert parsed(run("search", "-", "--json", stdin="warranty\n"))["question"] == "warranty"
    run("search", " ", code=2)


def test_a_conversation_goes_on(run, library):
    first = parsed(run("ask", "How long does the warranty last?", "--conversation", "new", "--json"))
    talk = first["conversation"]
    assert parsed(run("ask", "What does it cover?", "--conversation", talk, "--json"))["conversation"] == talk
    rag = make_rag()
    assert [turn.role for turn in rag.turns(talk)] == ["user", "assistant"] * 2
    rag.close()
    with pytest.raises(RagError, match="nowhere"):
        run("ask", "Hello?", "--conversation", "nowhere")


@pytest.fixture
def llm(monkeypatch):
    """Settings that lead to a server which plays one reply."""

    @contextmanager
    def start(play):
        with serving(play) as server:
            monkeypatch.setenv("RAG_LLM_BASE_URL", server.url)
            monkeypatch.setenv("RAG_LLM_MODEL", "m")
            monkeypatch.setenv("OPENAI_API_KEY", KEY)
            yield server

    return start


def test_a_dead_llm_shows_quotations_and_sources_and_is_partly_done(run, library, monkeypatch):
    monkeypatch.setenv("RAG_LLM_BASE_URL", "http://user:pa55@127.0.0.1:9/v1")
    monkeypatch.setenv("RAG_LLM_MODEL", "none")
    result = run("ask", "How long does the warranty last?", code=3)
    assert "guide.md" in result.stdout
    assert "two years. [1]" in result.stdout
    assert "RAG_LLM_BASE_URL" in result.stderr
    assert "quotations" in result.stderr
    assert "pa55" not in result.output
    answered = parsed(run("ask", "How long does the warranty last?", "--json", code=3))
    assert answered["sources"]
    assert answered["error"]
    assert (answered["complete"], answered["finish_reason"]) == (False, "quoted")
    assert "pa55" not in run("status").stdout


def test_an_answer_that_is_not_whole_says_so_in_text_and_in_json(run, library, llm):
    for fault in map(FAULTS.__getitem__, ("length", "content_filter", "unknown finish_reason", "refusal")):
        with llm(fault.play):
            assert re.search(fault.words, run("ask", "How long is the warranty?").stderr)
            assert re.search(fault.words, run("ask", "How long is the warranty?", "--compare").stderr)
            answer = parsed(run("ask", "How long is the warranty?", "--json"))
            both = parsed(run("ask", "How long is the warranty?", "--json", "--compare"))
        for each in (answer, both["task-aware"], both["naive"]):
            assert not each["complete"]
            assert re.search(fault.words, each["note"])


def test_what_a_model_says_steers_no_terminal(run, library, llm):
    hostile = "\x1b]0;title\x07\x1b[2J\x9b31m\u202eevil\u2066\u200f\U000e0041\x00\x08\ud800 [1]"
    with llm(answers(hostile, hostile)):
        options = ([], ["--compare"], ["--json"], ["--passages"], ["--conversation", "new"])
        output = "".join(run("ask", "How long is the warranty?", *extra).output for extra in options)
    assert output.count("evil") == 12
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200f\ud800-\udfff]", output)


def test_a_question_that_is_not_utf8_is_answered(run, library):
    question = "How long does the war\udcedranty warranty last?"
    for options in ([], ["--json"], ["--conversation", "new"]):
        assert "two years" in run("ask", question, *options).output
    assert "nothing found" in run("ask", question, "--file", "gu\udcffide.md", code=1).output


def test_names_with_control_characters_and_markup_are_harmless(run, tmp_path):
    file = tmp_path / "a[bold red]\x1b[31mb.md"
    file.write_text("The [link=https://evil.example]warranty[/link] \x1b]0;title\x07 lasts two years.")
    run("ingest", file)
    commands = [["documents"], ["documents", "--files"], ["ask", "How long does the warranty last?"]]
    commands += [["search", "warranty", "-p"], ["search", "warranty", "--compare"]]
    for command in commands:
        shown = run(*command).output
        assert "\x1b" not in shown
        assert "\x07" not in shown
        assert "[bold red]" in shown
