"""A program that works on a library until it is killed: `python -m bench.trust.victim COMMAND FOLDER PROMPT SEED`.

Before each call it prints what it is going to do, `{"try": {name: word}}`, and after it `{"ack": {name: word}}`; a
word of null means that the file is deleted. The parser, the catalog and the vector engine are the product's own, the
model is a small one that gives the same vectors each time.
"""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

from rag import Rag, Request
from rag.catalog import Catalog
from rag.settings import load_settings
from tests.fakes import FakeEmbedder

ROWS = 40
"""Documents of each file."""
_NAMES = [f"{number}.jsonl" for number in range(12)]
_OLD = Path(__file__).resolve().parents[2] / "tests" / "catalog" / "v0_1_0.sql"
Words = Mapping[str, str | None]


def opened(folder: Path, prompt: str) -> Rag:
    """Open the library of a folder, as the one who wrote it last."""
    settings = load_settings(data_dir=folder, document_prompt=prompt, workers=1)
    return Rag(settings, embedder=FakeEmbedder(64))


def content(name: str, word: str) -> bytes:
    """Return the bytes of a file, which say its word in every row."""
    rows = ({"_id": f"r{row}", "text": f"Row {row} of {name} says {word}."} for row in range(ROWS))
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def old_database(path: Path) -> None:
    """Write a catalog as version 0.1.0 left it."""
    path.parent.mkdir(parents=True)
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.executescript(_OLD.read_text(encoding="utf-8"))


def _say(**message: object) -> None:
    print(json.dumps(message), flush=True)


def _put(rag: Rag, names: Sequence[str], choose: random.Random) -> None:
    words = {name: f"word{choose.randrange(10**9)}" for name in names}
    _say(**{"try": words})
    report = rag.ingest_uploads([(name, content(name, word)) for name, word in words.items()], "qa")
    assert all(outcome.status in {"added", "updated"} for outcome in report.outcomes), report.outcomes
    _say(ack=words)


def _ingest(rag: Rag, choose: random.Random) -> None:
    present = {file.name for file in rag.files("qa")}
    absent = [name for name in _NAMES if name not in present]
    if len(absent) < 2:
        _delete(rag, choose)
    else:
        _put(rag, choose.sample(absent, 2), choose)


def _update(rag: Rag, choose: random.Random) -> None:
    present = [file.name for file in rag.files("qa")]
    _put(rag, choose.sample(present, 2) if len(present) > 1 else _NAMES[:2], choose)


def _delete(rag: Rag, choose: random.Random) -> None:
    present = [file.name for file in rag.files("qa")]
    if len(present) < 4:
        _put(rag, [name for name in _NAMES if name not in present][:4], choose)
        return
    words = dict.fromkeys(choose.sample(present, 2))
    _say(**{"try": words})
    rag.delete(list(words), "qa")
    _say(ack=words)


def _converse(rag: Rag, choose: random.Random) -> None:
    conversation = rag.new_conversation()
    _say(conversation=conversation)
    for number in range(choose.randrange(3, 8)):
        list(rag.ask(Request(f"What does row {number} say?", conversation=conversation)))
        _say(answered=conversation)


_STEPS: dict[str, Callable[[Rag, random.Random], None]] = {
    "ingest": _ingest,
    "update": _update,
    "delete": _delete,
    "conversation": _converse,
}
COMMANDS = (*_STEPS, "reindex", "switch", "migration", "backup", "restore")


def _reindex(folder: Path, prompts: Iterator[str], *, again: bool) -> None:
    """Rebuild the index by other prompts; the switch alone takes over vectors that are there already."""
    for prompt in prompts:
        rag = opened(folder, prompt)
        if again:
            rag._parts.ingestor.reindex("qa", force=True)
        else:
            rag.reindex("qa")
        rag.close()
        _say(ack={})


def _migrate(folder: Path) -> None:
    for number in count():
        path = folder.parent / "old" / str(number) / "catalog.db"
        old_database(path)
        _say(old=str(path.parent))
        Catalog(path.parent).close()
        _say(ack={})


def _back_up(folder: Path, prompt: str) -> None:
    rag = opened(folder, prompt)
    _say(ready=True)
    for number in count():
        path = folder.parent / "backups" / f"{number}.zip"
        _say(backup=str(path))
        rag.backups.make(path)
        _say(made=str(path))


def _restore(folder: Path, prompt: str) -> None:
    path = folder.parent / "backups" / "0.zip"
    rag = opened(folder, prompt)
    rag.backups.make(path)
    rag.close()
    _say(ready=True)
    for number in count():
        target = folder.parent / "restored" / str(number)
        other = opened(target, prompt)
        _say(target=str(target))
        other.backups.restore(path)
        _say(restored=str(target))
        other.close()


def main(command: str, folder: Path, prompt: str, seed: int) -> None:
    """Work until killed."""
    choose = random.Random(seed)
    if command in _STEPS:
        rag = opened(folder, prompt)
        _STEPS[command](rag, choose)
        _say(ready=True)
        while True:
            _STEPS[command](rag, choose)
    if command == "backup":
        _back_up(folder, prompt)
    if command == "restore":
        _restore(folder, prompt)
    _say(ready=True)
    if command == "migration":
        _migrate(folder)
    prompts = (prompt if command == "switch" or number % 2 == 0 else f"text {number}: " for number in count(1))
    _reindex(folder, prompts, again=command == "switch")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
