"""EmbeddingGemma: `task: ... | query: ` before queries, `title: ... | text: ` before documents.

Tasks whose two sides are alike write the query prompt on both.
"""

from __future__ import annotations

from rag.models.spec import EmbeddingModel, Family

_DOCUMENT = "title: none | text: "
_ALIKE = "task: sentence similarity | query: "

FAMILY = Family(
    "embeddinggemma",
    query="task: search result | query: ",
    document=_DOCUMENT,
    by_task={
        "qa": ("task: question answering | query: ", _DOCUMENT),
        "faq": (_ALIKE, _ALIKE),
        "similar": (_ALIKE, _ALIKE),
        "code": ("task: code retrieval | query: ", _DOCUMENT),
    },
    models=(EmbeddingModel("google/embeddinggemma-300m", "embeddinggemma", 768, 2048, "mean", "Gemma", 1210),),
)
