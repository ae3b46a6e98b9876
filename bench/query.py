"""A warm query against the usual LangChain parts: `python -m bench.query`.

Ours: embed the question and search 20,000 chunks by vector and by words, fused. Baseline: `HuggingFaceEmbeddings` with
the same weights and `QdrantVectorStore` on local mode, dense only, as their documentation shows them. Every question is
new to both, and the p95 of a block of questions is compared.
"""

from __future__ import annotations

import argparse
import os
import pydoc_data.topics
import re
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from bench.embed import baseline as reference_model
from bench.harness import FOLDER, PAIRS, Case, Result, Sample, Target, judge, report
from bench.scale import EVERYTHING, RECIPE, Clusters, points
from rag import Request, Settings, Strategy, get_task
from rag.embedding import open_embedder
from rag.index.engines.embedded import EmbeddedEngine
from rag.recipes import resolve
from rag.retrieval.retriever import CachedEmbedder, Retriever
from rag.types import Matrix

CHUNKS = 20_000
BLOCK = 40
HITS = 6
SHARE = 0.2


def questions(count: int) -> list[str]:
    """Different questions of 6 to 14 words, cut from Python's own manual."""
    words = re.findall(r"[A-Za-z]+", " ".join(text for _, text in sorted(pydoc_data.topics.topics.items())))
    rng = np.random.default_rng(3)
    starts = rng.choice(len(words) - 14, size=count, replace=False)
    return [" ".join(words[start : start + int(rng.integers(6, 15))]) + "?" for start in starts]


def ours(settings: Settings, vectors: Matrix, folder: Path) -> Callable[[str], object]:
    """The product's own way from a question to fused hits."""
    index = EmbeddedEngine(folder).open(RECIPE)
    index.upsert(points(vectors, 0, seed=2))
    embed = CachedEmbedder(open_embedder(settings))
    retriever = Retriever(resolve(settings, get_task(RECIPE.task)), index, embed, EVERYTHING)
    return lambda question: retriever.retrieve(Request(question, strategy=Strategy.HYBRID, k=HITS))


def theirs(settings: Settings, vectors: Matrix) -> Callable[[str], object]:
    """`QdrantVectorStore.similarity_search` on local mode."""
    from langchain_qdrant import QdrantVectorStore
    from qdrant_client import QdrantClient, models

    client = QdrantClient(":memory:")
    client.create_collection("c", models.VectorParams(size=vectors.shape[1], distance=models.Distance.COSINE))
    payloads = [
        {"page_content": point.payload.chunk.text, "metadata": {"name": point.payload.name}}
        for point in points(vectors, 0, seed=2)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        client.upload_collection("c", vectors=vectors, payload=payloads, ids=range(len(vectors)))
    embeddings = reference_model(settings).__self__  # type: ignore[attr-defined]
    store = QdrantVectorStore(client, "c", embeddings)
    return lambda question: store.similarity_search(question, k=HITS)


def block(ask: Callable[[str], object], questions: Sequence[str]) -> Sample:
    """Return the p95 of one block of questions, and the mean CPU time."""
    load = os.getloadavg()[0]
    walls, cpus = [], []
    for question in questions:
        wall, cpu = time.perf_counter(), time.process_time()
        ask(question)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return Sample(float(np.quantile(walls, 0.95)), statistics.fmean(cpus), load)


def run(pairs: int, folder: Path) -> Result:
    """Time blocks in alternating order, the first pair unrecorded."""
    settings = Settings(data_dir=FOLDER / "data")
    vectors = Clusters().draw(CHUNKS, seed=1)
    sides = {"ours (hybrid)": ours(settings, vectors, folder), "LangChain (dense)": theirs(settings, vectors)}
    pool = questions(BLOCK * 2 * (pairs + 1))
    samples: dict[str, list[Sample]] = {name: [] for name in sides}
    for pair in range(pairs + 1):
        for name in list(sides) if pair % 2 else reversed(sides):
            sample, pool = block(sides[name], pool[:BLOCK]), pool[BLOCK:]
            if pair:
                samples[name].append(sample)
    subject, reference = (Case(name, lambda: None) for name in sides)
    return judge(subject, reference, Target("p95 of a warm query", SHARE, at_least=False), samples, {"chunks": CHUNKS})


def main() -> None:
    """Print the table and write `.bench/query.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    pairs = parser.parse_args().pairs
    with tempfile.TemporaryDirectory() as folder:
        report("query", [run(pairs, Path(folder))])


if __name__ == "__main__":
    main()
