"""What lets a catalog be rebuilt from what it describes: cards of its versions, and versions taken over from cards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import starmap

from sqlalchemy import and_, delete, insert, select, update

from rag.catalog.database import Database
from rag.catalog.records import NewDocument, VersionCard, VersionState
from rag.catalog.tables import documents, failures, files, indexes, versions

_CARDS = select(
    versions.c.id,
    versions.c.file,
    versions.c.workspace,
    versions.c.task,
    files.c.name,
    *(versions.c[name] for name in ("sha256", "size", "collection", "documents", "chunks", "created")),
).join(files)


class Recovery:
    """What a catalog and the things it describes know of each other, over all workspaces."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def cards(self, *states: VersionState) -> list[VersionCard]:
        """Return the cards of all versions in these states."""
        rows = self._db.rows(_CARDS.where(versions.c.state.in_(states)).order_by(versions.c.task, files.c.name))
        return list(starmap(VersionCard, rows))

    def collections(self) -> set[str]:
        """Return the collections that an active index or any version is in."""
        with self._db.read() as connection:
            names = connection.execute(select(versions.c.collection).distinct()).scalars()
            return set(names) | set(connection.execute(select(indexes.c.collection)).scalars())

    def adopt(self, card: VersionCard, contained: Sequence[NewDocument]) -> bool:
        """Take over a complete version as the current one of its file, unless a newer one is current already.

        Returns:
            True when it is current now.
        """
        row = {**asdict(card), "id": card.version, "state": VersionState.CURRENT, "committed": card.created}
        named = and_(files.c.workspace == card.workspace, files.c.task == card.task, files.c.name == card.name)
        with self._db.write() as connection:
            file = connection.execute(select(files.c.id).where(named)).scalar()
            if file is None:
                file = card.file
                owner = {"id": file, "workspace": card.workspace, "task": card.task, "name": card.name}
                connection.execute(insert(files).values(**owner, created=card.created))
            current = and_(versions.c.file == file, versions.c.state == VersionState.CURRENT)
            newer = select(versions.c.id).where(current, versions.c.created > card.created)
            if connection.execute(newer).first() is not None:
                return False
            connection.execute(update(versions).where(current).values(state=VersionState.STALE))
            connection.execute(delete(versions).where(versions.c.id == card.version))
            columns = {column.name: row[column.name] for column in versions.c if column.name in row}
            connection.execute(insert(versions).values(**{**columns, "file": file}))
            if contained:
                connection.execute(insert(documents), [asdict(document) for document in contained])
            failed = and_(
                failures.c.workspace == card.workspace, failures.c.task == card.task, failures.c.name == card.name
            )
            connection.execute(delete(failures).where(failed))
        return True
