from tests.cli.driver import parsed


def test_tasks_and_models_print_the_exact_prompts(run):
    from rag.models import MODELS
    from rag.tasks import TASKS

    tasks = parsed(run("tasks", "--json"))["tasks"]
    assert {task["name"]: task["prompts"]["query"] for task in tasks}["qa"] == "query: "
    shown = run("tasks").stdout
    assert '"query: "' in shown
    assert all(name in shown for name in TASKS)
    models = {model["id"]: model for model in parsed(run("models", "--json"))}
    assert set(models) == set(MODELS)
    assert models["Qwen/Qwen3-Embedding-0.6B"]["prompts"]["qa"]["query"].endswith("\nQuery: ")
    assert "\\nQuery: " in run("models").stdout


def test_tasks_show_the_prompts_of_the_settings(run, monkeypatch):
    monkeypatch.setenv("RAG_QUERY_PROMPT", "ask: ")
    assert '"ask: "' in run("tasks").stdout


def test_status_shows_counts_and_no_secret(run, library, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    monkeypatch.setenv("RAG_LLM_MODEL", "some-model")
    state = run("status", "--json")
    assert parsed(state)["counts"]["qa"][0] == 2
    assert "sk-very-secret" not in state.output
    assert "sk-very-secret" not in run("status").output
