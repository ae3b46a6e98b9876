"""Eight kinds of change to what made an index; each has to be refused, and its remedy has to work."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bench.trust.hashed import HashedWords, opened
from bench.trust.spec import Figure, Row
from rag import Rag
from rag.errors import RecipeMismatchError
from rag.recipes import RecipeInForce
from rag.tasks.profiles import Profile, save_profile

_QUESTION = "What is the lamp like?"
_FILES = [("lamp.md", b"# Lamp\n\nThe lamp is red and shines."), ("tea.md", b"# Tea\n\nTea is green.")]


def _with_revision(data: Path) -> Rag:
    rag = opened(data)
    recipe = rag._parts.recipes.of("qa")
    first = replace(recipe.signals[0], model=replace(recipe.model, revision="another"))
    changed = replace(recipe, signals=(first, *recipe.signals[1:]))

    def of(task: str) -> RecipeInForce:
        del task
        return changed

    rag._parts.recipes.of = of  # type: ignore[method-assign]
    return rag


def _with_chunker(data: Path) -> Rag:
    save_profile(data, Profile("qa", "query/passage", 0.7, 128))
    return opened(data)


def _with_distance(data: Path) -> Rag:
    for path in data.glob("index/*/shard/edge_config.json"):
        path.write_text(path.read_text().replace("Cosine", "Dot"))
    return opened(data)


_CHANGES: dict[str, Callable[[Path], Rag]] = {
    "model": lambda data: opened(data, model="BAAI/bge-small-en-v1.5"),
    "revision": _with_revision,
    "precision": lambda data: opened(data, HashedWords(precision="int8")),
    "dimension": lambda data: opened(data, HashedWords(dimension=32)),
    "prompt": lambda data: opened(data, document_prompt="text: "),
    "chunker": _with_chunker,
    "distance": _with_distance,
    "endpoint behaviour": lambda data: opened(data, HashedWords(mirrored=True)),
}


def _measure(full: bool) -> Figure:
    del full
    refused, mended, missed = 0, 0, []
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "source"
        rag = opened(source)
        rag.ingest_uploads(_FILES, "qa")
        rag.close()
        for change, change_it in _CHANGES.items():
            data = Path(name) / "changed"
            shutil.rmtree(data, ignore_errors=True)
            shutil.copytree(source, data)
            rag = change_it(data)
            try:
                rag.search(_QUESTION)
                missed.append(change)
            except RecipeMismatchError:
                refused += 1
            rag.reindex("qa")
            mended += len(rag.search(_QUESTION).hits) == len(_FILES)
            rag.close()
    text = f"{refused} of {len(_CHANGES)} changes refused, {mended} mended by the remedy in the message"
    return Figure(text + (f"; not refused: {', '.join(missed)}" if missed else ""), refused == mended == len(_CHANGES))


ROW = Row(
    name="drift",
    promise="An index never answers for another recipe than the one that built it.",
    kept="The recipe's fingerprint is stored with the index and compared on every open, and so are length and distance "
    "of the vectors; a canary embeds stored chunks again at start and once a day.",
    tests=("tests/ingest/test_drift.py", "tests/ingest/test_indexes.py"),
    target="model, revision, precision, dimension, prompt, chunker, distance, endpoint behaviour: 8 of 8 refused",
    measure=_measure,
)
