"""kill -9 at random moments of every command that writes, and what is there afterwards."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.trust.spec import Figure, Row
from bench.trust.victim import COMMANDS, ROWS, content, old_database, opened
from rag import RagError
from rag.catalog import Catalog
from rag.maintenance.archive import opened_archive
from rag.types import Filter

_ROOT = Path(__file__).resolve().parents[3]
_LIBRARIES = 2
"""Libraries that are attacked side by side."""
_PROMPT = "text 0: "
_LONGEST_RESTART = 10.0
_LATEST = 2.0
"""Seconds of work after which the latest kill comes; each command repeats its work until then."""


@dataclass
class Attack:
    """One library, killed again and again, and what was found wrong with it."""

    folder: Path
    choose: random.Random
    words: dict[str, str | None] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    halves: list[str] = field(default_factory=list)
    restart: float = 0.0
    acknowledged: int = 0

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    def begin(self) -> None:
        """Put the first files in."""
        rag = opened(self.data, _PROMPT)
        self.words = {f"{number}.jsonl": "first" for number in range(4)}
        rag.ingest_uploads([(name, content(name, str(word))) for name, word in self.words.items()], "qa")
        rag.close()

    def strike(self, command: str) -> None:
        """Let a command work, kill it, and look at what it left."""
        messages = self._killed(command)
        tried: dict[str, set[str | None]] = {}
        for message in messages:
            for name, word in message.get("try", {}).items():
                tried.setdefault(name, {self.words.get(name)}).add(word)
            for name, word in message.get("ack", {}).items():
                self.words[name] = word
                tried.pop(name)
        self.acknowledged += sum(1 for message in messages if message.keys() & {"ack", "answered", "made", "restored"})
        started = time.monotonic()
        self._look(command, {name: {self.words.get(name), *words} for name, words in tried.items()}, messages)
        self.restart = max(self.restart, time.monotonic() - started)
        self._look_beside(messages)

    def _killed(self, command: str) -> list[dict[str, Any]]:
        arguments = [command, str(self.data), self._prompt(), str(self.choose.randrange(10**6))]
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.trust.victim", *arguments], cwd=_ROOT, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        lines = []
        for line in process.stdout:  # until it is at work
            lines.append(line)
            if "ready" in line:
                break
        time.sleep(self.choose.uniform(0.0, _LATEST))
        early = process.poll()
        process.kill()
        lines += process.communicate()[0].splitlines(keepends=True)
        if early is not None:
            self.lost.append(f"{command} ended by itself with {early}")
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def _prompt(self) -> str:
        """The prompt that the active index was built by: a reindex that was killed leaves the old or the new one."""
        if not (self.data / "catalog.db").exists():
            return _PROMPT
        catalog = Catalog(self.data)
        active = catalog.active_index("qa")
        catalog.close()
        return _PROMPT if active is None else str(json.loads(active.recipe)["document_prompt"])

    def _look(self, command: str, open_names: Mapping[str, set[str | None]], messages: list[dict[str, Any]]) -> None:
        """Open the library as after a restart, ask it something, and compare it with what was acknowledged."""
        rag = opened(self.data, self._prompt())
        try:
            rag._parts.ingestor  # noqa: B018 - sweeps, as every program does at its start
            rag.search("What does row 1 say?")
            actual = self._visible(rag)
            for name in {*self.words, *open_names, *actual}:
                allowed = open_names.get(name, {self.words.get(name)})
                if actual.get(name) not in allowed:
                    self.lost.append(f"{command}: {name} says {actual.get(name)}, expected one of {allowed}")
            self.words = dict(actual)
            answers = Counter(message["answered"] for message in messages if "answered" in message)
            for message in messages:
                if "conversation" in message:
                    turns, whole = len(rag.turns(message["conversation"])), 2 * answers[message["conversation"]]
                    if not whole <= turns <= whole + 2:
                        self.lost.append(f"{command}: {turns} messages, expected {whole}")
        except RagError as exc:
            self.lost.append(f"{command}: {exc}")
        finally:
            rag.close()

    def _visible(self, rag: Any) -> dict[str, str | None]:
        parts = rag._parts
        index = parts.indexes.open("qa")
        texts: dict[str, list[tuple[str, str]]] = {}
        for batch in index.scroll(Filter("default", parts.workspace.hidden_versions("qa"))):
            for point in batch:
                row, _, word = point.payload.chunk.text.rstrip(".").partition(" says ")
                texts.setdefault(point.payload.name, []).append((row, word))
        words: dict[str, str | None] = {}
        files = [file.name for file in rag.files("qa")]
        for name in {*texts, *files}:
            rows = Counter(row for row, _ in texts.get(name, []))
            said = {word for _, word in texts.get(name, [])}
            if len(rows) != ROWS or len(said) != 1 or name not in files:
                self.halves.append(f"{name}: {len(rows)} rows of {len(said)} versions")
            if files.count(name) > 1 or max(rows.values(), default=0) > 1:
                self.doubled.append(name)
            words[name] = next(iter(said), None)
        return words

    def _look_beside(self, messages: list[dict[str, Any]]) -> None:
        """Look at databases, backups and restored folders that were acknowledged, or under way."""
        made, restored = ({m[kind] for m in messages if kind in m} for kind in ("made", "restored"))
        for message in messages:
            if "old" in message:
                self._look_at_database(Path(message["old"]))
            if "backup" in message:
                self._look_at_backup(Path(message["backup"]), acknowledged=message["backup"] in made)
            if "target" in message:
                self._look_at_copy(Path(message["target"]), acknowledged=message["target"] in restored)
        for name in ("old", "backups", "restored"):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def _look_at_database(self, folder: Path) -> None:
        sound = self.folder / "sound"
        if not sound.exists():
            old_database(sound / "catalog.db")
        if _counts(folder) != _counts(sound):
            self.lost.append(f"migration: {_counts(folder)}, expected {_counts(sound)}")

    def _look_at_copy(self, folder: Path, *, acknowledged: bool) -> None:
        if folder.exists():
            rag = opened(folder, self._prompt())
            if self._visible(rag) != self.words:
                self.halves.append(f"restore: {len(rag.files())} files")
            rag.close()
        elif acknowledged:
            self.lost.append("restore: the folder is not there")

    def _look_at_backup(self, path: Path, *, acknowledged: bool) -> None:
        if not path.exists():
            if acknowledged:
                self.lost.append("backup: the file is not there")
            return
        try:
            with opened_archive(path) as (_, manifest):
                if manifest.warnings:
                    self.halves.append(f"backup: {manifest.warnings}")
        except RagError as exc:
            self.halves.append(f"backup: {exc}")


def _counts(folder: Path) -> tuple[int, int, int]:
    catalog = Catalog(folder)
    try:
        with catalog.snapshot() as snapshot:
            return snapshot.files, snapshot.conversations, snapshot.chunks
    finally:
        catalog.close()


def _measure(full: bool) -> Figure:
    points = 200 if full else 12
    with tempfile.TemporaryDirectory(prefix="bench-kill-") as folder, ThreadPoolExecutor(_LIBRARIES) as pool:
        attacks = [Attack(Path(folder) / str(number), random.Random(number)) for number in range(_LIBRARIES)]
        for attack in attacks:
            attack.folder.mkdir()
        orders = [
            [COMMANDS[i % len(COMMANDS)] for i in range(number, points, _LIBRARIES)] for number in range(_LIBRARIES)
        ]
        list(pool.map(_run, attacks, orders))
    lost, doubled, halves = (
        [text for a in attacks for text in getattr(a, kind)] for kind in ("lost", "doubled", "halves")
    )
    restart = max(attack.restart for attack in attacks)
    text = (
        f"{points} kills of {len(COMMANDS)} commands, {sum(attack.acknowledged for attack in attacks)} calls "
        f"acknowledged: {len(lost)} lost, {len(doubled)} duplicated, {len(halves)} half; "
        f"restart in at most {restart:.1f} s"
    )
    wrong = [*lost, *doubled, *halves]
    if wrong:
        text += "; first: " + wrong[0]
    return Figure(text, not wrong and restart < _LONGEST_RESTART)


def _run(attack: Attack, commands: list[str]) -> None:
    attack.begin()
    for command in commands:
        attack.strike(command)


ROW = Row(
    name="kill",
    promise="Killed at any moment, the library is whole: each file wholly old, wholly new or absent.",
    kept="A version becomes visible in one SQL commit when all its passages are on disk; files are written beside and "
    "renamed; what no commit made visible is swept at the next start.",
    tests=("tests/ingest/test_kill.py", "tests/maintenance/test_kill.py"),
    target="200 kills over every writing command: 0 acknowledged lost, 0 duplicated, 0 half, restart under 10 s",
    measure=_measure,
)
