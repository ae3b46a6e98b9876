"""The app with a small model, on an empty data folder."""

import pytest

from pages.parts.services import _OPENED, Services
from rag import Rag
from tests.fakes import FakeEmbedder
from tests.pages.app_driver import new_app
from tests.pages.texts import GUIDE


@pytest.fixture(autouse=True)
def empty_caches():
    import streamlit as st

    for clear in (_OPENED.clear, st.cache_resource.clear, st.cache_data.clear):
        clear()
    yield
    for clear in (_OPENED.clear, st.cache_resource.clear, st.cache_data.clear):
        clear()


@pytest.fixture
def embedder():
    return FakeEmbedder(384)


@pytest.fixture
def fill(embedder):
    """Puts files into the library before the app starts."""

    def fill(uploads, task="qa"):
        rag = Rag(embedder=embedder)
        rag.ingest_uploads(uploads, task)
        rag.close()

    return fill


@pytest.fixture
def library(fill):
    fill([("guide.md", GUIDE.encode()), ("other.txt", b"Bananas grow in bunches.")])


@pytest.fixture
def shared(embedder):
    """The services of all sessions, by the settings at the first call."""
    made = []

    def services():
        if not made:
            made.append(Services(Rag(embedder=embedder)))
        return made[0]

    yield services
    for opened in made:
        opened.rag.close()


@pytest.fixture
def start(shared):
    """Opens a page in a session of its own."""

    def start(page=None, conversation=""):
        app = new_app(shared(), conversation).run()
        if page:
            app = app.switch_page(f"pages/{page}.py").run()
        assert not app.exception
        return app

    return start
