"""Documents, file names and cells that command the program, with both answerers."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.trust.spec import Figure, Row
from rag import Rag
from rag.settings import load_settings
from tests.injection import attack, obey, opened, probes, prompt_faults, state
from tests.llm_server import KEY, LlmServer, serving


def _measure(full: bool) -> Figure:
    del full  # all sixty are quick
    with tempfile.TemporaryDirectory() as folder, serving(obey) as server:
        rag = Rag(load_settings(data_dir=Path(folder)))
        names = opened(rag)
        broken = _attacked(rag, names)
        rag.close()
        llm = {"llm_base_url": server.url, "llm_model": "m", "openai_api_key": KEY}
        rag = Rag(load_settings(data_dir=Path(folder), **llm))
        broken += _attacked(rag, names) + _prompts(server)
        rag.close()
    text = f"{len(names)} probes x 2 answerers: {len(broken)} changed a filter, a setting, the prompt or the page"
    return Figure(text + "".join(f"; {line}" for line in broken[:3]), not broken)


def _attacked(rag: Rag, names: dict[str, str]) -> list[str]:
    before = state(rag)
    broken = [f"{probe.kind}: {fault}" for probe in probes() for fault in attack(rag, probe, names[probe.name])[1]]
    return broken if state(rag) == before else [*broken, "settings or documents changed"]


def _prompts(server: LlmServer) -> list[str]:
    bodies = [request["body"] for request in server.requests]
    frame = bodies[0]["messages"][:-1]
    wrong = [fault for body in bodies for fault in prompt_faults(body, frame)]
    return wrong if len(bodies) == len(probes()) else [*wrong, f"{len(bodies)} requests for {len(probes())} questions"]


ROW = Row(
    name="injection",
    promise="What a document says is read, never obeyed.",
    kept="Sources are delimited data in one message of the prompt, with the marks of chat templates made harmless; no "
    "tool is offered to a model, and what it says is shown as text.",
    tests=("tests/answering/test_injection.py", "tests/answering/test_prompts.py"),
    target="60 probes in documents, names and cells x 2 answerers: 0 changed anything",
    measure=_measure,
)
