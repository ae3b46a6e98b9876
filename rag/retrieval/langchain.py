"""LangChain's view of a task's retrieval; the chain runs this very retriever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document as LangChainDocument
from langchain_core.retrievers import BaseRetriever

from rag.retrieval.request import Request, Retrieved
from rag.types import Hit


class SourceDocuments(list[LangChainDocument]):
    """The hits of one question as LangChain documents.

    Attributes:
        retrieved: The hits themselves, with mode, strategy and timings.
    """

    def __init__(self, retrieved: Retrieved) -> None:
        super().__init__([as_langchain(hit) for hit in retrieved.hits])
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


def as_langchain(hit: Hit) -> LangChainDocument:
    """Return a hit as a LangChain document, with its place, rank and score in the metadata."""
    payload, chunk = hit.payload, hit.payload.chunk
    metadata: dict[str, Any] = {
        "document": payload.document,
        "name": payload.name,
        "title": payload.title,
        "page": chunk.page_start,
        "lines": (chunk.line_start, chunk.line_end),
        "headings": list(chunk.headings),
        "rank": hit.rank,
        "score": hit.score,
    }
    return LangChainDocument(id=hit.id, page_content=chunk.text, metadata=metadata)
