import threading

import pytest
import streamlit as st

from pages.parts import services
from tests.pages.app_driver import ask, html, new_app


@pytest.fixture
def libraries(embedder, monkeypatch):
    """Every library that the app opens, with a small model."""
    made, rag = [], services.Rag

    def counted():
        made.append(rag(embedder=embedder))
        return made[-1]

    monkeypatch.setattr(services, "Rag", counted)
    yield made
    for opened in made:
        opened.close()


def test_a_browser_that_empties_the_caches_opens_no_second_library(library, libraries):
    app = ask(new_app().run(), "How long does the warranty last?")
    st.cache_data.clear()
    st.cache_resource.clear()
    app.run()
    assert not app.exception
    assert not app.error
    for session in (app, new_app().run()):
        assert "two years" in html(ask(session, "How long does the warranty last?"))
    assert len(libraries) == 1


def test_sessions_that_come_at_once_share_one_library(libraries):
    barrier, seen = threading.Barrier(8), []

    def visit():
        barrier.wait()
        seen.append(services.services())

    threads = [threading.Thread(target=visit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(shared) for shared in seen}) == 1
    assert len(libraries) == 1


def test_a_start_that_failed_is_tried_again_by_the_next_visitor(monkeypatch):
    monkeypatch.setenv("RAG_TOP_K", "many")
    assert new_app().run().error
    monkeypatch.delenv("RAG_TOP_K")
    assert not new_app().run().error
