"""LangChain `Embeddings` bound to a task and a mode: the one place where a prompt meets a text."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.embeddings import Embeddings

from rag.models import EmbeddingModel, prompt
from rag.settings import Settings
from rag.tasks import get_task
from rag.tasks.profiles import task_in_force
from rag.types import Embedder, Matrix, Mode, Role


class TaskEmbeddings(Embeddings):
    """Embeds queries with one prompt and documents with the other.

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


def task_embeddings(embedder: Embedder, settings: Settings, task: str, mode: Mode = Mode.TASK_AWARE) -> TaskEmbeddings:
    """Embeddings for a task and a mode, with the prompts of the model in the settings.

    RAG_QUERY_PROMPT and RAG_DOCUMENT_PROMPT replace the model's own in the task-aware mode; `naive` has none at all.

    Raises:
        UnknownNameError: No such task or model.
        SettingsError: The model is not registered and the settings say no prompts.
    """
    query, document = task_prompts(settings, settings.embedding_model, task, mode)
    return TaskEmbeddings(embedder, query, document)


def task_prompts(settings: Settings, model: EmbeddingModel, task: str, mode: Mode = Mode.TASK_AWARE) -> tuple[str, str]:
    """The exact (query, document) prompts of a model under these settings."""
    spec = task_in_force(settings.data_dir, get_task(task))
    query = prompt(model, spec, Role.QUERY, mode)
    document = prompt(model, spec, Role.DOCUMENT, mode)
    if mode is Mode.NAIVE:
        return query, document
    return (
        query if settings.query_prompt is None else settings.query_prompt,
        document if settings.document_prompt is None else settings.document_prompt,
    )
