"""The engine that the settings choose."""

from __future__ import annotations

import pytest

from rag.errors import SettingsError, UnknownNameError
from rag.index import discover_engines, engine_in_force, open_engine
from rag.settings import Settings

URL = "http://127.0.0.1:9"


def test_the_settings_choose_the_engine() -> None:
    assert open_engine(Settings()).kind == "embedded"
    assert open_engine(Settings(qdrant_url=URL)).kind == "server"
    assert open_engine(Settings(qdrant_url=URL, engine="embedded")).kind == "embedded"
    assert open_engine(Settings(qdrant_url=URL, engine="server")).kind == "server"


def test_exactly_one_engine_is_the_default_one() -> None:
    for settings in (Settings(), Settings(qdrant_url=URL)):
        assert sum(entry.is_default(settings) for entry in discover_engines().values()) == 1


def test_an_engine_names_itself_for_people() -> None:
    assert engine_in_force(Settings()).describe(Settings()) == "Qdrant Edge, in this process"
    settings = Settings(qdrant_url=URL)
    assert engine_in_force(settings).describe(settings) == f"Qdrant server at {URL}"
    secret = Settings(qdrant_url="http://user:pa55@127.0.0.1:9?key=s3cret")
    assert engine_in_force(secret).describe(secret) == f"Qdrant server at {URL}"


def test_an_unknown_engine_names_the_near_one() -> None:
    with pytest.raises(UnknownNameError, match=r"vector engine 'embeded'.*embedded"):
        open_engine(Settings(engine="embeded"))


def test_a_server_without_an_address_is_refused() -> None:
    with pytest.raises(SettingsError, match="RAG_QDRANT_URL"):
        open_engine(Settings(engine="server"))
