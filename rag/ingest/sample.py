"""The sample library: the papers of an invented maker of greenhouse controllers, something for every task."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from rag.errors import NotFoundError
from rag.ingest.items import IngestItem
from rag.tasks import TASKS, TaskSpec
from rag.types import Vector

_LOG = logging.getLogger(__name__)

LIBRARY = Path(__file__).resolve().parents[2] / "examples" / "library"
"""Folder of the sample library in a checkout; an installed package without it has no sample."""


VECTORS = LIBRARY.with_name("library_vectors.npz")
"""What the bundled models make of it, as `python -m examples.make_vectors` wrote it."""


@dataclass(frozen=True, slots=True)
class SampleVectors:
    """The vectors that come with the sample library, so that it is there in seconds.

    They are found by the hash of what was embedded and of the models that did: another text, prompt, chunk size or
    model finds none, and is embedded as everything else is.

    Attributes:
        vectors: By content hash and name, shape (dimension,), length one.
    """

    vectors: Mapping[str, Mapping[str, Vector]]

    @classmethod
    def load(cls, path: Path = VECTORS) -> SampleVectors:
        """Read what `save` wrote; nothing when the file is missing or damaged, so that the library is embedded."""
        vectors: dict[str, dict[str, Vector]] = defaultdict(dict)
        try:
            with np.load(path, allow_pickle=False) as stored:
                for number, name in enumerate(stored["names"]):
                    rows = stored[f"rows{number}"].astype(np.float32)
                    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
                    for content, row in zip(stored[f"contents{number}"], rows, strict=True):
                        vectors[str(content)][str(name)] = row
        except (OSError, EOFError, ValueError, KeyError, BadZipFile) as exc:
            _LOG.warning("%s cannot be read, so that the sample library is embedded: %s", path.name, exc)
            return cls({})
        return cls(vectors)

    def save(self, path: Path) -> None:
        """Write them in half precision, in an order of their own."""
        names = sorted({name for by_name in self.vectors.values() for name in by_name})
        arrays = {"names": np.array(names)}
        for number, name in enumerate(names):
            contents = sorted(content for content, by_name in self.vectors.items() if name in by_name)
            arrays[f"contents{number}"] = np.array(contents)
            arrays[f"rows{number}"] = np.stack([self.vectors[content][name] for content in contents]).astype(np.float16)
        np.savez_compressed(path, allow_pickle=False, **arrays)

    def vectors_by_content(self, workspace: str, contents: Sequence[str]) -> dict[str, Mapping[str, Vector]]:
        """Return vectors by content hash and name, the same in every workspace. Missing hashes are left out."""
        del workspace
        return {content: self.vectors[content] for content in contents if content in self.vectors}


def sample_items(root: Path = LIBRARY) -> dict[str, list[IngestItem]]:
    """Return the files of the sample library by task, each named by its path in the folder.

    Raises:
        NotFoundError: The files are not beside the package.
    """
    return {task.name: _items(root, task) for task in TASKS.values() if task.sample}


def sample_tasks(names: Mapping[str, Collection[str]], root: Path = LIBRARY) -> list[str]:
    """Return the tasks that have a file of the sample library among theirs, given the names of files by task."""
    try:
        items = sample_items(root)
    except NotFoundError:
        return []
    return [task for task in items if not {item.name for item in items[task]}.isdisjoint(names[task])]


def _items(root: Path, task: TaskSpec) -> list[IngestItem]:
    paths = sorted({path for pattern in task.sample for path in root.glob(pattern) if path.is_file()})
    if not paths:
        raise NotFoundError(
            f"The sample library is not there: task {task.name!r} expects {', '.join(task.sample)} in {root.name}."
        )
    return [IngestItem(path, path.relative_to(root).as_posix()) for path in paths]
