"""Retrieved text is data: instructions in documents, names and cells change nothing, with either answerer."""

import pytest

from rag import Rag
from rag.settings import load_settings
from tests.fakes import FakeEmbedder
from tests.injection import attack, live_parts, obey, opened, probes, prompt_faults, state
from tests.llm_server import KEY, serving


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    settings = {"data_dir": tmp_path_factory.mktemp("injection")}
    rag = Rag(load_settings(**settings), embedder=FakeEmbedder(384))
    stored = opened(rag)
    rag.close()
    return settings, stored


def test_there_are_sixty_probes():
    assert len(probes()) == len({probe.name for probe in probes()}) == 60


def test_the_check_sees_what_is_live():
    assert live_parts('<p>ok</p><img src="x"><p onclick="y"></p>') != []
    assert live_parts('<p class="a">&lt;img src=x&gt;</p>') == []


def test_quotations_obey_no_probe(library):
    settings, stored = library
    rag = Rag(load_settings(**settings), embedder=FakeEmbedder(384))
    before = state(rag)
    broken = {probe.name: faults for probe in probes() if (faults := attack(rag, probe, stored[probe.name])[1])}
    assert broken == {}
    assert state(rag) == before
    rag.close()


def test_a_model_that_obeys_every_probe_changes_nothing(library):
    settings, stored = library
    with serving(obey) as server:
        llm = {"llm_base_url": server.url, "llm_model": "m", "openai_api_key": KEY}
        rag = Rag(load_settings(**settings, **llm), embedder=FakeEmbedder(384))
        before = state(rag)
        broken = {probe.name: faults for probe in probes() if (faults := attack(rag, probe, stored[probe.name])[1])}
        after = state(rag)
        rag.close()
    bodies = [request["body"] for request in server.requests]
    frame = bodies[0]["messages"][:-1]
    assert broken == {}
    assert after == before
    assert [prompt_faults(body, frame) for body in bodies] == [[]] * 60
