"""A chat endpoint that fails in every way, against the whole application."""

from __future__ import annotations

import re
import tempfile
import time
from itertools import groupby
from pathlib import Path

from bench.trust.spec import Figure, Row
from rag import Rag
from rag.answering.chain import AnswerEvent, SourcesEvent
from rag.render import ending
from rag.retrieval.request import Request
from rag.settings import load_settings
from tests.fakes import FakeEmbedder
from tests.llm_server import FAULTS, KEY, QUICK, Fault, answers, serving, settings_for

_QUESTION = "How long does the warranty of the motor last?"
_GUIDE = b"# Warranty\n\nThe warranty of the motor lasts two years. It covers all parts.\n"
_ALLOWED_SECONDS = 10.0


def _measure(full: bool) -> Figure:
    times, broken, slowest = (20 if full else 1), list[str](), 0.0
    with tempfile.TemporaryDirectory() as folder, serving(answers("unused")) as server:
        _fill(Path(folder))
        by_url = sorted(FAULTS.items(), key=lambda item: item[1].url)
        for _, group in groupby(by_url, key=lambda item: item[1].url):
            faults = dict(group)
            settings = load_settings(data_dir=Path(folder), **settings_for(next(iter(faults.values())), server))
            rag = Rag(settings, embedder=FakeEmbedder(384))
            rag.search(_QUESTION)  # so that opening the index is not counted
            for name, fault in list(faults.items()) * times:
                server.play = fault.play or server.play
                started = time.monotonic()
                problem = _problem(fault, rag)
                late = time.monotonic() - started - _limit(fault)
                slowest = max(slowest, late)
                if problem or late > _ALLOWED_SECONDS:
                    broken.append(f"{name}: {problem or f'{late:.0f} s late'}")
            rag.close()
    text = (
        f"{len(FAULTS)} faults x {times}: {len(broken)} blank, falsely complete, without their cause or late; named "
        f"within {slowest:.1f} s of it" + "".join(f"; {line}" for line in broken[:3])
    )
    return Figure(text, not broken)


def _limit(fault: Fault) -> float:
    """The limit that a fault runs into, in seconds."""
    if "TOTAL" in fault.words:
        return float(QUICK["llm_total_timeout"])
    return float(QUICK["llm_timeout"]) if "sent nothing" in fault.words else 0.0


def _fill(folder: Path) -> None:
    rag = Rag(load_settings(data_dir=folder), embedder=FakeEmbedder(384))
    rag.ingest_uploads([("guide.md", _GUIDE)], "qa")
    rag.close()


def _problem(fault: Fault, rag: Rag) -> str:
    """What is wrong with how a fault is shown; empty when nothing is."""
    conversation = rag.new_conversation()
    first, *_, last = rag.ask(Request(_QUESTION, conversation=conversation))
    stored = rag.turns(conversation)[-1]
    assert isinstance(first, SourcesEvent)
    assert isinstance(last, AnswerEvent)
    answer = last.answer
    told = f"{answer.error} {ending(answer.finish_reason)}".strip()
    if answer.complete or not told:
        return "looks complete"
    if not first.retrieved.hits or not (answer.text.startswith(fault.text) and answer.text.strip()):
        return "sources or text are missing"
    if stored.text != answer.text or stored.details["finish_reason"] != answer.finish_reason:
        return "is kept as something else"
    if KEY in told or _QUESTION in told:
        return "shows a secret"
    return "" if re.search(fault.words, told) else f"says {told}"


ROW = Row(
    name="llm",
    promise="An answer that is not whole never looks as if it were.",
    kept="Each reply of a model is read within limits on its first piece, every further one and all of them; whatever "
    "ends otherwise than by `stop` is named, what came is kept, and quotations stand in where nothing came.",
    tests=("tests/answering/test_faults.py", "tests/answering/test_chain.py", "tests/cli/test_ask.py"),
    target="16 faults and more x 20: 0 blank or falsely complete, the cause named within 10 s",
    measure=_measure,
)
