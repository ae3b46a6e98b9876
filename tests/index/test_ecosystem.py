"""Other clients read our collections: the vector store of langchain-qdrant finds our passages."""

from __future__ import annotations

import pytest
from langchain_qdrant import QdrantVectorStore
from qdrant_client import QdrantClient, models

from rag.embedding import TaskEmbeddings
from rag.index import collection_name
from rag.index.engines.server import PREFIX, ServerEngine
from rag.types import Mode, Point
from tests.build import RECIPE, payload, point
from tests.fakes import FakeEmbedder
from tests.memory_qdrant import memory_client

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")
EMBEDDER = FakeEmbedder(RECIPE.dimension)
EMBEDDINGS = TaskEmbeddings(EMBEDDER, RECIPE.query_prompt, RECIPE.document_prompt)


def written(text: str, **changes: object) -> Point:
    base = point(text, **changes)
    vectors = {Mode.TASK_AWARE: EMBEDDINGS.documents([text])[0], Mode.NAIVE: EMBEDDER.encode([text])[0]}
    return Point(base.id, vectors, base.payload, base.terms)


@pytest.fixture
def client() -> QdrantClient:
    """A Qdrant that holds a collection of ours."""
    client = memory_client()
    ServerEngine("http://memory", client=client).open(RECIPE).upsert(
        [
            written("The warranty lasts two years.", document="d1", name="guide.pdf", headings=("Care",), page_start=3),
            written("Charge the battery for three hours.", document="d2", name="faq.csv", key="r7", title="Battery"),
            written("def pair(speaker): ...", document="d3", name="sound.py", symbol="pair", line_start=4, line_end=5),
        ]
    )
    return client


def test_similarity_search_returns_our_passages_with_readable_metadata(client: QdrantClient) -> None:
    store = QdrantVectorStore(client, PREFIX + collection_name(RECIPE), EMBEDDINGS, vector_name=Mode.TASK_AWARE.value)
    (best,) = store.similarity_search("how long is the warranty", k=1)
    assert best.page_content == "The warranty lasts two years."
    readable = {key: value for key, value in best.metadata.items() if not key.startswith("_")}
    assert readable == {
        "workspace": "default",
        "version": "v1",
        "document": "d1",
        "name": "guide.pdf",
        "media_type": "text",
        "ordinal": 0,
        "start": 0,
        "end": 29,
        "headings": ["Care"],
        "page": 3,
    }


def test_other_clients_filter_by_our_fields_and_by_metadata(client: QdrantClient) -> None:
    store = QdrantVectorStore(client, PREFIX + collection_name(RECIPE), EMBEDDINGS, vector_name=Mode.TASK_AWARE.value)
    for field, value in (("name", "sound.py"), ("metadata.symbol", "pair"), ("metadata.line_start", 4)):
        condition = models.FieldCondition(key=field, match=models.MatchValue(value=value))
        documents = store.similarity_search("speaker", k=5, filter=models.Filter(must=[condition]))
        assert [document.metadata["document"] for document in documents] == ["d3"]


def test_the_index_reads_the_same_passages(client: QdrantClient) -> None:
    index = ServerEngine("http://memory", client=client).open_as_built(collection_name(RECIPE))
    assert index is not None
    contents = [payload("The warranty lasts two years.").content]
    assert len(index.vectors_by_content("default", contents)) == 1
