import pytest
from sqlalchemy import create_engine

from rag.errors import CatalogError
from rag.history import MessageHistory, StoredTurn


@pytest.fixture
def history(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/catalog.db")
    yield MessageHistory(engine)
    engine.dispose()


def test_turns_come_back_in_order_with_what_was_shown(history):
    turns = [
        StoredTurn("user", "How long?", {"task": "qa"}),
        StoredTurn("assistant", "Two years [1].", {"sources": [{"name": "a.md", "rank": 1}]}),
    ]
    history.add("one", turns)
    history.add("two", [StoredTurn("user", "Other", {})])
    assert history.turns("one") == turns


def test_clearing_leaves_other_conversations(history):
    history.add("one", [StoredTurn("user", "a", {})])
    history.add("two", [StoredTurn("user", "b", {})])
    history.clear("one")
    assert history.turns("one") == []
    assert len(history.turns("two")) == 1


def test_a_lost_database_is_reported(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/no/such/folder/catalog.db")
    with pytest.raises(CatalogError):
        MessageHistory(engine).turns("one")
    engine.dispose()
