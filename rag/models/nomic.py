"""Nomic Embed: a task prefix on each side; `clustering` on both compares documents with documents."""

from __future__ import annotations

from rag.models.spec import EmbeddingModel, Family

FAMILY = Family(
    "nomic",
    query="search_query: ",
    document="search_document: ",
    by_task={"similar": ("clustering: ", "clustering: ")},
    models=(
        EmbeddingModel(
            "nomic-ai/nomic-embed-text-v1.5", "nomic", 768, 8192, "mean", "Apache-2.0", 547, trust_remote_code=True
        ),
    ),
)
