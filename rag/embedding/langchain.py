"""LangChain `Embeddings` bound to a task and a mode: the one place where a prompt meets a text."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.embeddings import Embeddings

from rag.types import Embedder, Matrix


class TaskEmbeddings(Embeddings):
    """LangChain `Embeddings` that put one prompt before queries and another before documents.

    Args:
        embedder: Runtime that embeds exact texts.
        query_prompt: Put before every query; may be empty.
        document_prompt: Put before every document; may be empty.
    """

    def __init__(self, embedder: Embedder, query_prompt: str = "", document_prompt: str = "") -> None:
        self.embedder = embedder
        self.query_prompt = query_prompt
        self.document_prompt = document_prompt

    def queries(self, texts: Sequence[str]) -> Matrix:
        """Embed queries, shape (texts, dimension), rows of length one."""
        return self.embedder.encode([self.query_prompt + text for text in texts])

    def documents(self, texts: Sequence[str]) -> Matrix:
        """Embed documents, shape (texts, dimension), rows of length one."""
        return self.embedder.encode([self.document_prompt + text for text in texts])

    def embed_query(self, text: str) -> list[float]:
        """Embed one query; LangChain's signature."""
        return [float(value) for value in self.queries([text])[0]]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed documents; LangChain's signature."""
        return [[float(value) for value in row] for row in self.documents(texts)]
