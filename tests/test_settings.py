import os
import subprocess
import sys

import pytest

from rag.errors import SettingsError
from rag.models import BUNDLED
from rag.settings import ENV_FILE, Settings, load_settings, variable


def test_defaults_need_nothing():
    settings = load_settings()
    assert settings.model == BUNDLED
    assert settings.embedding_model.dimension == 384
    assert settings.llm_model == ""


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_setting_is_described(field):
    assert Settings.model_fields[field].description


def test_environment_is_read(monkeypatch):
    monkeypatch.setenv("RAG_TOP_K", "9")
    monkeypatch.setenv("OPENAI_API_KEY", "k-1")
    settings = load_settings()
    assert settings.top_k == 9
    assert settings.openai_api_key.get_secret_value() == "k-1"


def test_an_empty_data_folder_is_the_default_and_never_the_current_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAG_DATA_DIR", "")
    assert load_settings().data_dir == tmp_path / "data"


def test_a_misspelt_setting_names_the_right_one(monkeypatch):
    monkeypatch.setenv("RAG_QDRANT_ULR", "http://localhost:6333")
    with pytest.raises(SettingsError, match="RAG_QDRANT_URL"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("RAG_QDRANT_URL", "localhost:6333", "expected a URL"),
        ("RAG_TOP_K", "0", "RAG_TOP_K"),
        ("RAG_QUERY_PROMPT", "a {task} b", "no placeholder"),
        ("RAG_MODEL_FAMILY", "e6", "Did you mean e5"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name(monkeypatch, name, value, message):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=message):
        load_settings()


def test_errors_and_repr_never_hold_a_secret(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    monkeypatch.setenv("RAG_TOP_K", "0")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "sk-very-secret" not in str(caught.value)
    monkeypatch.setenv("RAG_TOP_K", "3")
    assert "sk-very-secret" not in repr(load_settings())


@pytest.mark.parametrize("name", ["RAG_LLM_BASE_URL", "RAG_EMBEDDINGS_BASE_URL", "RAG_QDRANT_URL"])
def test_a_wrong_address_is_named_without_its_password(monkeypatch, name):
    monkeypatch.setenv(name, "ftp://user:pa55@host/v1?key=s3cret")
    with pytest.raises(SettingsError, match=f"{name}: found 'ftp://host/v1'"):
        load_settings()


def test_a_final_text_placeholder_is_allowed():
    assert load_settings(query_prompt="ask: {text}").query_prompt == "ask: "


def test_an_unlisted_model_needs_its_prompts():
    with pytest.raises(SettingsError, match=r"RAG_MODEL_FAMILY .* or RAG_QUERY_PROMPT"):
        _ = load_settings(model="someone/some-model").embedding_model
    assert load_settings(model="someone/some-model", model_family="bge").embedding_model.family == "bge"
    assert load_settings(model="someone/some-model", query_prompt="q: ").embedding_model.family == "plain"


def test_variable_names():
    assert variable("data_dir") == "RAG_DATA_DIR"
    assert variable("openai_api_key") == "OPENAI_API_KEY"


def write_settings_file(monkeypatch, path, text):
    path.write_text(text)
    monkeypatch.setattr("rag.settings.Settings.model_config", {**Settings.model_config, "env_file": path})


def test_the_settings_file_is_the_one_beside_the_app():
    assert (ENV_FILE.parent / "app.py").is_file()
    assert ENV_FILE.is_absolute()


def test_a_settings_file_of_the_current_folder_is_not_read(tmp_path):
    (tmp_path / ".env").write_text("RAG_LLM_BASE_URL=http://attacker.example/v1\nRAG_LLM_MODEL=m\n")
    script = "from rag.settings import load_settings; print(repr(load_settings().llm_base_url))"
    environment = {**os.environ, "PYTHONPATH": str(ENV_FILE.parent)}
    process = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert "attacker" not in process.stdout


def test_names_of_other_programs_in_the_settings_file_are_left_alone(monkeypatch, tmp_path):
    write_settings_file(monkeypatch, tmp_path / ".env", "DATABASE_PASSWORD=x\nRAG_TOP_K=4\n")
    assert load_settings().top_k == 4


def test_a_misspelt_setting_in_the_settings_file_names_the_right_one(monkeypatch, tmp_path):
    write_settings_file(monkeypatch, tmp_path / ".env", "RAG_TOPK=4\n")
    with pytest.raises(SettingsError, match="RAG_TOP_K"):
        load_settings()


def test_a_settings_file_that_is_no_text_is_refused(monkeypatch, tmp_path):
    (tmp_path / ".env").write_bytes(b"RAG_TOP_K=\xff\xfe4")
    monkeypatch.setattr("rag.settings.Settings.model_config", {**Settings.model_config, "env_file": tmp_path / ".env"})
    with pytest.raises(SettingsError, match="UTF-8"):
        load_settings()


def test_an_unknown_override_is_refused():
    with pytest.raises(SettingsError, match="top_k"):
        load_settings(topk=3)
