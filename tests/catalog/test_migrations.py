"""The schema's history: what version 0.1.0 left behind is carried over, once, without a word, and tables agree."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, create_engine, inspect, select, text, update

from rag.answering.recording import recalled
from rag.catalog import Catalog, WorkspaceCatalog
from rag.catalog.database import Database
from rag.catalog.migrations import HEAD, REVISIONS, stamps
from rag.catalog.tables import metadata
from rag.errors import CatalogError

ROOT = Path(__file__).resolve().parents[2]
DUMP = Path(__file__).with_name("v0_1_0.sql").read_text()
ROLES = {"human": "user", "ai": "assistant"}


def config(connection: Connection | None = None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "rag.catalog:migrations")
    return config


def restore(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(DUMP)
    connection.close()


@pytest.fixture
def old(tmp_path: Path, url: str) -> str:
    """URL of a database as version 0.1.0 left it."""
    if url.startswith("sqlite"):
        restore(tmp_path / "catalog.db")
        return url
    restore(tmp_path / "dump.db")
    source, target = create_engine(f"sqlite:///{tmp_path}/dump.db"), create_engine(url)
    tables = MetaData()
    tables.reflect(source)
    with source.connect() as reader, target.begin() as writer:
        tables.create_all(writer)
        for table in tables.sorted_tables:
            writer.execute(table.insert(), [dict(row) for row in reader.execute(table.select()).mappings()])
    source.dispose()
    target.dispose()
    return url


def langchain_rows() -> list[tuple[str, dict[str, object]]]:
    """Conversation and message of each row of the old table, in order."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(DUMP)
    rows = connection.execute("SELECT session_id, message FROM messages ORDER BY id").fetchall()
    connection.close()
    return [(conversation, json.loads(message)) for conversation, message in rows]


def engine_of(catalog: Catalog) -> Engine:
    return catalog._db._engine


def differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))


def contents(engine: Engine) -> dict[str, list[object]]:
    with engine.connect() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


# -- a data folder of version 0.1.0 ------------------------------------------------------------------------------------


def test_conversations_of_version_0_1_0_are_there_with_all_that_was_shown(tmp_path: Path, old: str) -> None:
    catalog = Catalog(tmp_path, old)
    default, other = catalog.workspace("default"), catalog.workspace("other")
    assert [(record.title, len(default.messages.turns(record.id))) for record in default.conversations.list()] == [
        ("Nothing asked yet", 0),
        ("How long is the battery charged? ü中🔋", 2),
        ("How do I reset the device?", 2),
        ("How long does the warranty last?", 4),
    ]
    records = [(default, record) for record in default.conversations.list()]
    records += [(other, record) for record in other.conversations.list()]
    for workspace, record in records:
        messages = [message for conversation, message in langchain_rows() if conversation == record.id]
        turns = workspace.messages.turns(record.id)
        assert [(turn.role, turn.text, turn.details) for turn in turns] == [
            (ROLES[message["type"]], message["data"]["content"], message["data"]["additional_kwargs"])
            for message in messages
        ]
        assert {turn.created for turn in turns} <= {record.created}
    catalog.close()


def test_an_answer_of_version_0_1_0_is_recalled_with_its_sources(tmp_path: Path, old: str) -> None:
    catalog = Catalog(tmp_path, old)
    workspace = catalog.workspace("default")
    answered, stopped = (workspace.conversations.list()[place].id for place in (3, 1))
    retrieved, answer = recalled(workspace.messages.turns(answered)[1])
    assert [hit.payload.name for hit in retrieved.hits] == ["guide.md", "guide.md"]
    assert [citation.number for citation in answer.citations] == [1]
    assert recalled(workspace.messages.turns(stopped)[1]) is None
    (added,) = workspace.messages.add(answered, [workspace.messages.turns(answered)[0]])
    assert added.parent == workspace.messages.turns(answered)[-2].id
    catalog.close()


def test_all_else_of_version_0_1_0_is_as_it_was(tmp_path: Path, old: str) -> None:
    catalog = Catalog(tmp_path, old)
    workspace: WorkspaceCatalog = catalog.workspace("default")
    assert [(d.task, d.name, d.title, d.chunks) for d in workspace.documents()] == [
        ("faq", "faq.csv", "", 2),
        ("qa", "guide.md", "Warranty", 2),
    ]
    assert [(failure.name, failure.kind) for failure in workspace.failures.list()] == [
        ("broken.pdf", "UnreadableFileError")
    ]
    thumbs = [(thumb.about, thumb.helpful, thumb.rank) for thumb in workspace.feedback.list("qa")]
    assert thumbs == [("answer", True, 1), ("citation", False, 2)]
    assert catalog.active_index("qa").collection == "qa-4a479361d31d"
    catalog.close()


def test_a_second_opening_changes_nothing(tmp_path: Path, old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Catalog(tmp_path, old)
    before = contents(engine_of(first))
    first.close()
    monkeypatch.setattr(Database, "write", lambda *_, **__: pytest.fail("A second opening writes."))
    second = Catalog(tmp_path, old)
    assert contents(engine_of(second)) == before
    second.close()


def test_the_old_table_is_gone_and_the_schema_is_that_of_a_new_database(
    tmp_path: Path, old: str, capfd: pytest.CaptureFixture[str]
) -> None:
    catalog = Catalog(tmp_path, old)
    engine = engine_of(catalog)
    assert "messages" not in inspect(engine).get_table_names()
    if engine.dialect.name == "sqlite":  # on Postgres the old tables are a copy
        assert differences(engine) == []
        with engine.connect() as connection:
            assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
    catalog.close()
    assert capfd.readouterr() == ("", "")


def test_version_0_1_0_without_a_single_message_is_migrated(tmp_path: Path) -> None:
    restore(tmp_path / "catalog.db")
    connection = sqlite3.connect(tmp_path / "catalog.db")
    connection.execute("DROP TABLE messages")
    connection.close()
    catalog = Catalog(tmp_path)
    workspace = catalog.workspace("default")
    assert [workspace.messages.turns(record.id) for record in workspace.conversations.list()] == [[]] * 4
    catalog.close()


def test_a_table_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    restore(tmp_path / "catalog.db")
    connection = sqlite3.connect(tmp_path / "catalog.db")
    connection.execute("DROP TABLE messages")
    connection.execute("CREATE TABLE messages (id INTEGER PRIMARY KEY, subject TEXT)")
    connection.execute("INSERT INTO messages (subject) VALUES ('Lunch')")
    connection.commit()
    Catalog(tmp_path).close()
    assert connection.execute("SELECT subject FROM messages").fetchall() == [("Lunch",)]
    connection.close()


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    restore(tmp_path / "catalog.db")
    connection = sqlite3.connect(tmp_path / "catalog.db")
    connection.execute("CREATE TABLE chat_messages (id INTEGER PRIMARY KEY)")
    connection.commit()
    before = list(connection.iterdump())
    with pytest.raises(CatalogError, match="chat_messages already exists"):
        Catalog(tmp_path)
    assert list(connection.iterdump()) == before
    connection.close()


# -- new, newer, and both at once --------------------------------------------------------------------------------------


def test_a_new_database_is_at_head_and_version_0_1_0_refuses_it(catalog: Catalog) -> None:
    with catalog._db.read() as connection:
        assert connection.execute(select(stamps.c.version_num)).scalar_one() == HEAD
        number = connection.execute(text("SELECT version FROM rag_schema")).scalar_one()
    assert number > 1


def test_a_newer_schema_is_refused(tmp_path: Path, url: str) -> None:
    catalog = Catalog(tmp_path, url)
    with catalog._db.write() as connection:
        connection.execute(update(stamps).values(version_num="0099"))
    catalog.close()
    with pytest.raises(CatalogError, match=rf"schema version 0099 .* at most {HEAD}\. Install a newer program"):
        Catalog(tmp_path, url)


@pytest.mark.parametrize("is_old", [False, True], ids=["new", "old"])
def test_processes_that_start_together_migrate_once(tmp_path: Path, is_old: bool) -> None:
    if is_old:
        restore(tmp_path / "catalog.db")
    code = "import sys; from pathlib import Path; from rag.catalog import Catalog; Catalog(Path(sys.argv[1])).close()"
    command_line = [sys.executable, "-W", "error", "-c", code, str(tmp_path)]
    started = [
        subprocess.Popen(command_line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(3)
    ]
    assert [process.communicate(timeout=120)[0].decode() for process in started] == [""] * 3
    catalog = Catalog(tmp_path)
    assert len(catalog.workspace("default").conversations.list()) == 4 * is_old
    catalog.close()


def test_only_a_migration_imports_alembic(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from rag.catalog import Catalog\n"
        "for _ in range(2): Catalog(Path(sys.argv[1])).close()\n"
        "print('alembic' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, check=True)
    assert run.stdout == b"False\n"


def test_without_alembic_an_old_database_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    restore(tmp_path / "catalog.db")
    monkeypatch.setitem(sys.modules, "alembic", None)
    with pytest.raises(CatalogError, match=r"pip install -r requirements\.txt"):
        Catalog(tmp_path)


# -- tables and history ------------------------------------------------------------------------------------------------


def test_tables_and_migrations_agree(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        command.upgrade(config(connection), "head")
    assert differences(engine) == []
    engine.dispose()


def test_revisions_are_those_of_the_scripts_in_one_line() -> None:
    scripts = ScriptDirectory.from_config(config())
    assert scripts.get_heads() == [HEAD]
    assert [script.revision for script in scripts.walk_revisions()] == list(reversed(REVISIONS))


def test_a_rebuilt_table_keeps_the_rows_that_refer_to_it(tmp_path: Path) -> None:
    restore(tmp_path / "catalog.db")
    catalog = Catalog(tmp_path)
    with catalog._db.write(migrates=True) as connection:
        connection.execute(text("CREATE TABLE copy AS SELECT * FROM files"))
        connection.execute(text("DROP TABLE files"))
        connection.execute(text("CREATE TABLE files (id VARCHAR(36) PRIMARY KEY, workspace, task, name, created)"))
        connection.execute(text("INSERT INTO files SELECT * FROM copy"))
    assert len(catalog.workspace("default").files()) == 2
    with catalog._db.write() as connection:
        connection.execute(text("DELETE FROM files"))
        assert connection.execute(text("SELECT count(*) FROM versions")).scalar_one() == 0
    catalog.close()
