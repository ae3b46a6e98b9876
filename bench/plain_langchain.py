"""What many start from, as LangChain's documentation shows it: the baseline of `bench.startup`, run as a script.

python bench/plain_langchain.py MODEL_FOLDER QDRANT_FOLDER QUESTION
"""

from __future__ import annotations

import sys

from langchain_huggingface import HuggingFaceEmbeddings
from langchain_qdrant import QdrantVectorStore

HITS = 6


def main(model: str, folder: str, question: str) -> None:
    """Print the sources of a question."""
    options = {"normalize_embeddings": True, "prompt": "passage: "}
    queries = {"normalize_embeddings": True, "prompt": "query: "}
    embeddings = HuggingFaceEmbeddings(model_name=model, encode_kwargs=options, query_encode_kwargs=queries)
    store = QdrantVectorStore.from_existing_collection(embedding=embeddings, collection_name="plain", path=folder)
    for rank, (document, score) in enumerate(store.similarity_search_with_score(question, k=HITS), start=1):
        print(f"[{rank}] {score:.3f}  {document.metadata['name']}\n      {document.page_content[:160]!r}", flush=True)
    store.client.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
