"""The folder of an embedded collection: its recipe, the shard in use, and the switch from one shard to the next."""

from __future__ import annotations

import json
import shutil
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

from rag.errors import RecipeMismatchError, VectorIndexError
from rag.files import write_atomically
from rag.index.driver import BATCH, Driver, Where
from rag.index.edge.build import copy_shard
from rag.index.edge.shard import Shard, create_shard
from rag.index.recipe import identity
from rag.types import Recipe

RECIPE_FILE = "recipe.json"
_SHARD = "shard"
_CURRENT = "current.json"


@dataclass(frozen=True, slots=True)
class CurrentShard:
    """The shard of a collection's folder that is in use, and how many points it had when it was built."""

    shard: str = _SHARD
    points: int = 0


def create_folder(folder: Path, recipe: Recipe) -> None:
    """Make the folder of an empty collection."""
    create_shard(folder / _SHARD, recipe)
    text = json.dumps(identity(recipe), indent=1, ensure_ascii=False)
    (folder / RECIPE_FILE).write_text(text + "\n", encoding="utf-8")


def stored_identity(folder: Path) -> dict[str, object]:
    """Read the recipe and the layout that a collection was built by.

    Raises:
        RecipeMismatchError: They cannot be read.
    """
    try:
        stored = json.loads((folder / RECIPE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise RecipeMismatchError(
            f"{folder} is no index of this program: its {RECIPE_FILE} cannot be read ({exc}). Move the folder away, "
            "or reindex with `python -m rag reindex`."
        ) from exc
    if not isinstance(stored, dict):
        raise RecipeMismatchError(
            f"{folder / RECIPE_FILE} holds a {type(stored).__name__}, expected the recipe's fields. Move the folder "
            "away, or reindex with `python -m rag reindex`."
        )
    return stored


def current_shard(folder: Path) -> CurrentShard:
    """Read which shard is in use.

    Raises:
        VectorIndexError: The file that says so is damaged.
    """
    path = folder / _CURRENT
    try:
        return CurrentShard(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else CurrentShard()
    except (ValueError, TypeError) as exc:
        raise VectorIndexError(
            f"{path} is damaged: {exc}. Move {folder} away and run `python -m rag reindex`."
        ) from exc


def files_in_use(folder: Path) -> list[Path]:
    """Return the files of a collection without shards that a build has not switched to, or that a kill left.

    Raises:
        VectorIndexError: The file that says which shard is in use is damaged.
    """
    shard = folder / current_shard(folder).shard
    beside = [path for path in folder.glob("[!.]*") if path.is_file()]
    return [*beside, *(path for path in shard.rglob("*") if path.is_file())]


def open_shard(folder: Path) -> Shard:
    """Open the shard in use, and remove those that a killed build left."""
    current = current_shard(folder)
    shard = Shard(folder / current.shard)
    for path in folder.glob(f"{_SHARD}*"):
        if path.name != current.shard:
            shutil.rmtree(path, ignore_errors=True)
    return shard


def shard_to_build(folder: Path) -> Path:
    """Return the path of one more shard."""
    return folder / f"{_SHARD}-{uuid.uuid4().hex[:8]}"


def start_copy(source: Path, target: Path, driver: Driver) -> None:
    """Copy the shard in use, and note from now on which versions are written to it."""
    _touched(driver).clear()
    copy_shard(source, target)


def switch_shard(target: Path, old: Driver) -> Driver:
    """Open the built shard, bring over what was written meanwhile, and make it the current one in one rename."""
    new = Shard(target)
    for version in sorted(_touched(old)):
        where = Where({"version": [version]})
        new.delete(where)
        offset: str | None = None
        while True:
            rows, offset = old.page(where, BATCH, offset, None, True)
            if rows:
                new.write(rows)
            if offset is None:
                break
    new.flush()
    write_atomically(target.parent / _CURRENT, json.dumps(asdict(CurrentShard(target.name, new.count(Where())))))
    return new


def _touched(driver: Driver) -> set[str]:
    assert isinstance(driver, Shard)
    return driver.touched
