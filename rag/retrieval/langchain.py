"""LangChain's view of a task's retrieval; the chain runs this very retriever."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document as LangChainDocument
from langchain_core.retrievers import BaseRetriever

from rag.retrieval.request import Request, Retrieved
from rag.serialise import metadata_of
from rag.types import Hit


class SourceDocuments(list[LangChainDocument]):
    """The hits of one question as LangChain documents.

    Attributes:
        retrieved: The hits themselves, with mode, strategy and timings.
    """

    def __init__(self, retrieved: Retrieved) -> None:
        super().__init__(as_langchain(retrieved.hits))
        self.retrieved = retrieved


class TaskRetriever(BaseRetriever):
    """A question in, documents out, best first.

    Attributes:
        search: Finds the hits of a request.
        request: Task, mode, strategy and filters of every question.
        k: Most documents; the request's number when None.
    """

    search: Callable[[Request], Retrieved]
    request: Request
    k: int | None = None

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int | None = None
    ) -> SourceDocuments:
        del run_manager
        return SourceDocuments(self.search(replace(self.request, question=query, k=k or self.k or self.request.k)))


def as_langchain(hits: Sequence[Hit]) -> list[LangChainDocument]:
    """Return hits as LangChain documents, with the metadata of the stored points, rank and score."""
    passages = [metadata_of(hit.payload) for hit in hits]
    return [
        LangChainDocument(
            id=hit.id,
            page_content=hit.payload.chunk.text,
            metadata={**passage, "rank": hit.rank, "score": hit.score},
        )
        for hit, passage in zip(hits, passages, strict=True)
    ]
