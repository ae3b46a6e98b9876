"""Thumbs that people gave on answers and on single sources, with what they were shown when they gave them."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import Boolean, Column, Float, Index, Integer, String, Table, Text, delete, insert, select

from rag.catalog.database import Database
from rag.catalog.tables import metadata

feedback = Table(
    "feedback",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("workspace", String(64), nullable=False),
    Column("task", String(32), nullable=False),
    Column("question", Text, nullable=False),
    Column("helpful", Boolean, nullable=False),
    Column("about", String(16), nullable=False),
    Column("points", Text, nullable=False),
    Column("documents", Text, nullable=False),
    Column("texts", Text, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("mode", String(16), nullable=False),
    Column("strategy", String(16), nullable=False),
    Column("recipe", String(128), nullable=False),
    Column("created", Float, nullable=False),
    Index("feedback_by_task", "workspace", "task", "created"),
)
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
        texts: Chunk text of each point, so that it is found again after a reindex.
        rank: Rank from 1 that the source was shown at; for an answer, that of the best source it cites; 0 when none.
        mode: Mode that found it.
        strategy: Strategy that found it.
        recipe: Fingerprint of the index that was asked.
        created: Seconds since 1970; set when it is kept.
        id: Set when it is kept.
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


class Feedbacks:
    """Thumbs of one workspace. Safe to call from many threads."""

    def __init__(self, database: Database, workspace: str) -> None:
        self._db = database
        self._workspace = workspace

    def add(self, given: Feedback) -> Feedback:
        """Keep a thumb; a later one on the same question and sources counts instead of an earlier one."""
        kept = replace(given, id=str(uuid.uuid4()), created=given.created or time.time())
        row = asdict(kept) | {name: json.dumps(getattr(kept, name)) for name in _LISTS}
        with self._db.write() as connection:
            connection.execute(insert(feedback).values(workspace=self._workspace, **row))
        return kept

    def list(self, task: str | None = None) -> list[Feedback]:
        """Thumbs, the oldest first."""
        query = select(feedback).where(feedback.c.workspace == self._workspace)
        if task is not None:
            query = query.where(feedback.c.task == task)
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(feedback.c.created, feedback.c.id)).mappings().all()
        return [_record(dict(row)) for row in rows]

    def delete(self, ids: Sequence[str]) -> None:
        """Take thumbs back; ids that are not there are no error."""
        mine = feedback.c.workspace == self._workspace
        with self._db.write() as connection:
            connection.execute(delete(feedback).where(mine, feedback.c.id.in_(list(ids))))


def _record(row: dict[str, object]) -> Feedback:
    row.pop("workspace")
    for name in _LISTS:
        row[name] = tuple(json.loads(str(row[name])))
    return Feedback(**row)  # type: ignore[arg-type]
