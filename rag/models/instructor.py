"""INSTRUCTOR: both sides get a sentence of the form "Represent the (text type) for (purpose): ".

Source:
    Su et al. 2022, One Embedder, Any Task: Instruction-Finetuned Text Embeddings.
"""

from __future__ import annotations

from rag.models.spec import EmbeddingModel, Family

FAMILY = Family(
    "instructor",
    query="Represent the question for retrieving relevant passages: ",
    document="Represent the passage for retrieval: ",
    by_task={
        "faq": (
            "Represent the question for retrieving duplicate questions: ",
            "Represent the frequently asked question for retrieval: ",
        ),
        "similar": (
            "Represent the document for retrieving similar documents: ",
            "Represent the document for retrieving similar documents: ",
        ),
        "code": (
            "Represent the description for retrieving relevant code: ",
            "Represent the code for retrieval: ",
        ),
        "summary": (
            "Represent the topic for retrieving relevant summaries: ",
            "Represent the summary for retrieval: ",
        ),
    },
    models=(EmbeddingModel("hkunlp/instructor-large", "instructor", 768, 512, "mean", "Apache-2.0", 1340),),
)
