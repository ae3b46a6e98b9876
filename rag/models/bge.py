"""BGE (English, v1.5): a sentence before short queries; documents, and queries that are documents, stay bare."""

from __future__ import annotations

from rag.models.spec import EmbeddingModel, Family

FAMILY = Family(
    "bge",
    query="Represent this sentence for searching relevant passages: ",
    by_task={"similar": ("", "")},
    models=(EmbeddingModel("BAAI/bge-small-en-v1.5", "bge", 384, 512, "cls", "MIT", 133),),
)
