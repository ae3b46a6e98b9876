"""Eight threads that ingest, update, delete and ask on one library."""

from __future__ import annotations

import random
import tempfile
import threading
import time
from pathlib import Path

from bench.trust.spec import Figure, Row
from rag import Rag
from rag.errors import RagError
from rag.settings import load_settings

_THREADS = 8


def _measure(full: bool) -> Figure:
    seconds = 60.0 if full else 15.0
    errors: list[str] = []
    present: dict[str, bool] = {}
    with tempfile.TemporaryDirectory() as folder:
        rag = Rag(load_settings(data_dir=Path(folder) / "data"))
        rag.ingest_uploads([("base.md", b"# Base\n\nThe base of everything is a plain sentence.")], "qa")
        end, done = time.monotonic() + seconds, [0] * _THREADS

        def work(number: int) -> None:
            choose, names = random.Random(number), [f"{number}-{i}.md" for i in range(4)]
            while time.monotonic() < end:
                name = choose.choice(names)
                try:
                    if choose.random() < 0.5:
                        list(rag.ask(f"What does file {name} say?"))
                    elif present.get(name) and choose.random() < 0.4:
                        rag.delete([name], "qa")
                        present[name] = False
                    else:
                        text = f"# File {name}\n\nThe word of this version is {choose.random()}."
                        rag.ingest_uploads([(name, text.encode())], "qa")
                        present[name] = True
                except RagError as exc:
                    errors.append(str(exc))
                done[number] += 1

        threads = [threading.Thread(target=work, args=(number,)) for number in range(_THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expected = {"base.md", *(name for name, is_there in present.items() if is_there)}
        names = {file.name for file in rag.files("qa")}
        rag.close()
    wrong = len(expected ^ names)
    text = f"{len(errors)} errors, {wrong} wrong names in {sum(done)} operations of {_THREADS} threads, {seconds:g} s"
    return Figure(text, not errors and not wrong)


ROW = Row(
    name="threads",
    promise="Many people at once harm nothing.",
    kept="One writer lock a data folder; readers never wait for it; a version becomes visible in one commit.",
    tests=("tests/catalog/test_catalog.py", "tests/ingest/test_ingestor.py"),
    target="8 threads mixed: 0 errors, counts exact",
    measure=_measure,
)
