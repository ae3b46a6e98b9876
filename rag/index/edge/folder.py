"""The folder of an embedded collection: its recipe, the shard in use, and the switch from one shard to the next."""

from __future__ import annotations

import json
import shutil
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

from rag.disk import Reserve, disk_errors
from rag.errors import RecipeMismatchError, VectorIndexError
from rag.files import write_atomically
from rag.index.driver import Driver, Where
from rag.index.edge.build import copy_bytes, copy_shard
from rag.index.edge.copying import copy_rows
from rag.index.edge.layout import CONFIG
from rag.index.edge.shard import Shard, create_shard
from rag.index.recipe import identity
from rag.types import Recipe

RECIPE_FILE = "recipe.json"
REMEDY = "Run `python -m rag reindex`: it builds the index again from the originals."
_SHARD = "shard"
_CURRENT = "current.json"
_OWNER = "owner"


@dataclass(frozen=True, slots=True)
class CurrentShard:
    """The shard of a collection's folder that is in use, and how many points it had when it was built."""

    shard: str = _SHARD
    points: int = 0


def create_folder(folder: Path, recipe: Recipe, reserve: Reserve) -> None:
    """Make the folder of an empty collection.

    Raises:
        DiskFullError: There is too little room for it.
        VectorIndexError: The disk or the engine failed.
    """
    with disk_errors(folder, VectorIndexError):
        create_shard(folder / _SHARD, recipe, reserve)
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
            f"{folder} is no index of this program: its {RECIPE_FILE} is missing or damaged ({exc}). {REMEDY}"
        ) from exc
    if not isinstance(stored, dict):
        raise RecipeMismatchError(
            f"{folder / RECIPE_FILE} holds a {type(stored).__name__}, expected the recipe's fields. {REMEDY}"
        )
    return stored


def stored_vectors(folder: Path) -> dict[str, tuple[int, str]]:
    """Read dimension and distance of each named vector of the shard in use.

    Raises:
        VectorIndexError: The file that says so is missing or damaged.
    """
    path = folder / current_shard(folder).shard / CONFIG
    try:
        vectors = json.loads(path.read_text(encoding="utf-8"))["vectors"]
        return {name: (int(vector["size"]), str(vector["distance"])) for name, vector in vectors.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as exc:
        raise VectorIndexError(f"{path} is missing or damaged ({exc}). {REMEDY}") from exc


def stored_owner(folder: Path) -> str:
    """Read the id of the catalog that a collection belongs to; empty when nobody has claimed it."""
    try:
        return (folder / _OWNER).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def store_owner(folder: Path, owner: str) -> None:
    """Note the id of the catalog that a collection belongs to.

    Raises:
        DiskFullError: The disk is full.
        VectorIndexError: The folder cannot be written.
    """
    with disk_errors(folder, VectorIndexError):
        write_atomically(folder / _OWNER, owner + "\n")


def current_shard(folder: Path) -> CurrentShard:
    """Read which shard is in use.

    Raises:
        VectorIndexError: The file that says so is damaged.
    """
    path = folder / _CURRENT
    try:
        current = CurrentShard(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else CurrentShard()
    except (OSError, ValueError, TypeError) as exc:
        raise VectorIndexError(f"{path} is damaged ({exc}). {REMEDY}") from exc
    is_name = isinstance(current.shard, str) and current.shard.startswith(_SHARD) and "/" not in current.shard
    if not (is_name and isinstance(current.points, int)):
        raise VectorIndexError(f"{path} is damaged (found {current}). {REMEDY}")
    return current


def files_in_use(folder: Path) -> list[Path]:
    """Return the files of a collection without shards that a build has not switched to, or that a kill left.

    Raises:
        VectorIndexError: The file that says which shard is in use is damaged.
    """
    shard = folder / current_shard(folder).shard
    beside = [path for path in folder.glob("[!.]*") if path.is_file()]
    return [*beside, *(path for path in shard.rglob("*") if path.is_file())]


def open_shard(folder: Path, reserve: Reserve) -> Shard:
    """Open the shard in use, and remove those that a killed build left."""
    shard = Shard(folder / current_shard(folder).shard, reserve)
    remove_other_shards(folder)
    return shard


def remove_other_shards(folder: Path) -> None:
    """Remove all shards but the one in use."""
    current = current_shard(folder)
    for path in folder.glob(f"{_SHARD}*"):
        if path.name != current.shard:
            shutil.rmtree(path, ignore_errors=True)


def shard_to_build(folder: Path) -> Path:
    """Return the path of one more shard."""
    return folder / f"{_SHARD}-{uuid.uuid4().hex[:8]}"


def start_copy(source: Path, target: Path, reserve: Reserve, driver: Driver) -> None:
    """Copy the shard in use, and note from now on which versions are written to it."""
    _touched(driver).clear()
    reserve.check(copy_bytes(source))
    copy_shard(source, target)


def switch_shard(target: Path, reserve: Reserve, is_built: bool, old: Driver) -> Driver:
    """Open the new shard, bring over what was written meanwhile, and make it the current one in one rename."""
    new = Shard(target, reserve)
    for version in sorted(_touched(old)):
        where = Where({"version": [version]})
        new.delete(where)
        copy_rows(old, new, where)
    new.flush()
    current = CurrentShard(target.name, new.count(Where()) if is_built else 0)
    with disk_errors(target, VectorIndexError):
        write_atomically(target.parent / _CURRENT, json.dumps(asdict(current)))
    return new


def _touched(driver: Driver) -> set[str]:
    assert isinstance(driver, Shard)
    return driver.touched
