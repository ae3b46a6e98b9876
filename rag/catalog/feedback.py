"""Thumbs that people gave on answers and on single sources, with the passages that were shown to them then."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection, delete, insert, select, update

from rag.catalog.database import Database
from rag.catalog.tables import feedback

_LISTS = ("points", "documents", "texts")


@dataclass(frozen=True, slots=True)
class Feedback:
    """One thumb.

    Attributes:
        task: Task that was asked.
        question: As the person wrote it.
        helpful: Thumb up or down.
        about: `answer` or `citation`.
        points: Point ids of what it is about: the one source, or all that the answer cites.
        documents: Document id of each point.
        texts: Chunk text of each point, by which it is recognised after a reindex.
        rank: Rank of the source from 1; for an answer, that of the best source it cites; 0 when none.
        mode: Mode that ranked it.
        strategy: Strategy that ranked it.
        recipe: Fingerprint of the index that was asked.
        created: Seconds since 1970, UTC; set when it is stored, if 0.
        id: Set when it is stored.
    """

    task: str
    question: str
    helpful: bool
    about: str
    points: tuple[str, ...]
    documents: tuple[str, ...]
    texts: tuple[str, ...]
    rank: int
    mode: str
    strategy: str
    recipe: str = ""
    created: float = 0.0
    id: str = ""


class FeedbackLog:
    """Thumbs of one workspace. Safe to call from many threads."""

    def __init__(self, database: Database, workspace: str) -> None:
        self._db = database
        self._workspace = workspace

    def add(self, thumb: Feedback) -> Feedback:
        """Store a thumb; a later one on the same question and sources counts instead of an earlier one."""
        record = replace(thumb, id=str(uuid.uuid4()), created=thumb.created or time.time())
        row = asdict(record) | {name: json.dumps(getattr(record, name)) for name in _LISTS}
        with self._db.write() as connection:
            connection.execute(insert(feedback).values(workspace=self._workspace, **row))
        return record

    def list(self, task: str | None = None) -> list[Feedback]:
        """Return all thumbs, or those of a task, oldest first."""
        query = select(feedback).where(feedback.c.workspace == self._workspace)
        if task is not None:
            query = query.where(feedback.c.task == task)
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(feedback.c.created, feedback.c.id)).mappings().all()
        return [_record(dict(row)) for row in rows]

    def delete(self, ids: Sequence[str]) -> None:
        """Remove thumbs; unknown ids are no error."""
        query = delete(feedback).where(feedback.c.workspace == self._workspace, feedback.c.id.in_(list(ids)))
        with self._db.write() as connection:
            connection.execute(query)

    def forget(self, connection: Connection, task: str, gone: Collection[str]) -> None:
        """Take deleted documents out of all thumbs as a part of another commit; thumbs on nothing else are removed."""
        ours = (feedback.c.workspace == self._workspace, feedback.c.task == task)
        query = select(feedback.c.id, *(feedback.c[name] for name in _LISTS)).where(*ours)
        for row in connection.execute(query).mappings().all():
            sources = list(zip(*(json.loads(row[name]) for name in _LISTS), strict=True))
            remaining = [source for source in sources if source[_LISTS.index("documents")] not in gone]
            is_thumb = feedback.c.id == row["id"]
            if sources and not remaining:
                connection.execute(delete(feedback).where(is_thumb))
            elif len(remaining) < len(sources):
                lists = dict(zip(_LISTS, map(json.dumps, zip(*remaining, strict=True)), strict=True))
                connection.execute(update(feedback).where(is_thumb).values(**lists))


def _record(row: dict[str, object]) -> Feedback:
    row.pop("workspace")
    for name in _LISTS:
        row[name] = tuple(json.loads(str(row[name])))
    return Feedback(**row)  # type: ignore[arg-type]
