"""A clean environment for every test."""

import faulthandler
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# One model in most tests: the second one is loaded where it is what is tested. Fixtures of a module see this as well.
os.environ["RAG_SECOND_MODEL"] = ""
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Keep the stacks of a worker that crashes: pytest writes them where nobody reads them."""
    if hasattr(config, "workerinput"):
        folder = config.rootpath / ".crashes"
        folder.mkdir(exist_ok=True)
        stacks = (folder / f"{config.workerinput['workerid']}.txt").open("w")  # open as long as the process is
        faulthandler.enable(stacks)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No setting of the machine, no `.env`, and a data folder of its own."""
    for name in list(os.environ):
        if (name.startswith("RAG_") and not name.startswith("RAG_TEST_")) or name == "OPENAI_API_KEY":
            monkeypatch.delenv(name)
    monkeypatch.setenv("RAG_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("RAG_SECOND_MODEL", "")
    monkeypatch.setattr("rag.settings.Settings.model_config", {**_model_config(), "env_file": None})
    return


def _model_config() -> dict[str, object]:
    from rag.settings import Settings

    return dict(Settings.model_config)
