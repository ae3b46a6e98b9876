"""Closing a collection while other threads search it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from rag.errors import IndexClosedError
from rag.index.engines.embedded import EmbeddedEngine
from rag.types import Filter
from tests.build import RECIPE


@pytest.mark.slow
def test_closing_waits_for_the_reads_of_other_threads(tmp_path: Path) -> None:
    """A read that comes too late is told that the index is closed; nothing else is ever raised."""
    unexpected: list[BaseException] = []

    def read() -> None:
        try:
            while True:
                index.count(Filter("default"))
        except IndexClosedError:
            return
        except BaseException as exc:  # noqa: BLE001 - whatever it is, it fails the test
            unexpected.append(exc)

    for _ in range(20):
        engine = EmbeddedEngine(tmp_path / "index")
        index = engine.open(RECIPE)
        readers = [threading.Thread(target=read) for _ in range(4)]
        for reader in readers:
            reader.start()
        engine.close()
        for reader in readers:
            reader.join(10)
    assert unexpected == []
