"""Qwen3 embedding: the task is described before a query; documents stay bare."""

from __future__ import annotations

from rag.models.spec import EmbeddingModel, Family

FAMILY = Family(
    "qwen3",
    query="Instruct: {instruction}\nQuery: ",
    models=(EmbeddingModel("Qwen/Qwen3-Embedding-0.6B", "qwen3", 1024, 32768, "lasttoken", "Apache-2.0", 1190),),
)
