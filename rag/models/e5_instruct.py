"""E5 instruct: the task is described before a query; documents stay bare, so that one index serves every question."""

from __future__ import annotations

from rag.models.spec import EmbeddingModel, Family

FAMILY = Family(
    "e5-instruct",
    query="Instruct: {instruction}\nQuery: ",
    models=(EmbeddingModel("intfloat/multilingual-e5-large-instruct", "e5-instruct", 1024, 512, "mean", "MIT", 1120),),
)
