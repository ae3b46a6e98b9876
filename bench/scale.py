"""Hybrid search as collections grow, against local mode's scan: `python -m bench.scale [--sizes 1000 10000 ...]`.

Vectors are clustered: 2,000 topics, each with directions of its own around a common mean, as embeddings have them.
Texts are words by Zipf's law. Collections are written and built once, into `.bench/scale/`; the first run at a million
takes long. Ours runs in a process of its own, so that its resident memory is its own; baseline: a dense search without
filter in `QdrantClient(":memory:")`, its fastest kind of search.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from bench.harness import FOLDER, PAIRS, Case, Result, Sample, Target, judge, report
from rag.index import point_id
from rag.index.engines.embedded import BUILD_FROM, EmbeddedEngine
from rag.retrieval.analyser import analyse, terms_of
from rag.types import Chunk, Filter, Matrix, Mode, Payload, Point, Recipe, Search, Vector

FOLDERS = FOLDER / "scale"
SIZES = (1_000, 10_000, 100_000, 1_000_000)
DIMENSION, TOPICS, DIRECTIONS, VOCABULARY, WORDS = 384, 2_000, 24, 200_000, 30
CHUNKS_A_DOCUMENT = 20
WRITE = 20_000
DEPTH, JUDGED = 100, 10
OURS_A_BLOCK, SCANS_A_BLOCK, RECALL_QUERIES = 30, 5, 200
FASTER, RECALL, MEGABYTES = 20.0, 0.98, 1200
EVERYTHING = Filter("default")
RECIPE = Recipe("qa", "synthetic", "1", "float32", "mean", True, DIMENSION, "", "", "synthetic", "1")


class Clusters:
    """Topics and directions of the synthetic vectors; the same every time."""

    def __init__(self) -> None:
        rng = np.random.default_rng(7)
        self.mean = _rows_of_length_one(rng.normal(size=(1, DIMENSION)))
        self.centres = _rows_of_length_one(rng.normal(size=(TOPICS, DIMENSION)))
        self.directions = (rng.normal(size=(TOPICS, DIRECTIONS, DIMENSION)) / np.sqrt(DIMENSION)).astype(np.float32)

    def draw(self, count: int, seed: int) -> Matrix:
        """Vectors of length one, shape (count, DIMENSION)."""
        rng = np.random.default_rng(seed)
        topics = rng.integers(0, TOPICS, count)
        along = rng.normal(size=(count, DIRECTIONS)).astype(np.float32)
        rows = 1.5 * self.mean + self.centres[topics]
        for row, topic, steps in zip(rows, topics, along, strict=True):
            row += 0.25 * steps @ self.directions[topic]
        return _rows_of_length_one(rows + 0.01 * rng.normal(size=rows.shape).astype(np.float32))


def _rows_of_length_one(rows: np.ndarray) -> Matrix:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def texts(count: int, seed: int, words: int = WORDS) -> list[str]:
    """Texts of words by Zipf's law, the 50 most frequent left out as stop words are."""
    ranks = (np.random.default_rng(seed).zipf(1.25, size=(count, words)) + 49) % VOCABULARY
    return [" ".join(f"w{rank}" for rank in row) for row in ranks.tolist()]


def points(vectors: Matrix, first: int, seed: int) -> list[Point]:
    """One point a row; 20 chunks make a document."""
    batch = []
    for number, (vector, text) in enumerate(zip(vectors, texts(len(vectors), seed), strict=True), first):
        document, ordinal = f"document-{number // CHUNKS_A_DOCUMENT}", number % CHUNKS_A_DOCUMENT
        chunk = Chunk(ordinal, 0, len(text), text, (text,))
        payload = Payload("default", document, document, f"{number:032x}", document, "", "", "text", "", chunk)
        terms = " ".join(terms_of(payload, "prose"))
        batch.append(Point(point_id(document, document, ordinal), {Mode.TASK_AWARE: vector}, payload, terms))
    return batch


def prepare(size: int) -> dict[str, float]:
    """Write and build the collection of that size, once; return the seconds of both."""
    done = FOLDERS / f"{size}.json"
    if done.exists():
        return dict(json.loads(done.read_text()))
    engine = EmbeddedEngine(FOLDERS / str(size))
    for name in engine.collections():
        engine.drop(name)
    index = engine.open(RECIPE)
    clusters, took = Clusters(), 0.0
    with (FOLDERS / f"{size}.f32").open("wb") as file:
        for first in range(0, size, WRITE):
            vectors = clusters.draw(min(WRITE, size - first), seed=first + 1)
            file.write(vectors.tobytes())
            batch = points(vectors, first, seed=first + 2)
            began = time.perf_counter()
            index.upsert(batch)
            took += time.perf_counter() - began
            print(f"{size}: {first + len(batch)} written", flush=True)
    began = time.perf_counter()
    if size >= BUILD_FROM:
        engine.build(RECIPE)
    figures = {"write_s": took, "build_s": time.perf_counter() - began}
    engine.close()
    done.write_text(json.dumps(figures))
    return figures


def serve(size: int, pipe: Connection) -> None:
    """Open the collection and answer: (vector, text) -> nearest ids, seconds, CPU seconds; None -> memory."""
    before = _memory()
    began = time.perf_counter()
    engine = EmbeddedEngine(FOLDERS / str(size))
    index = engine.open(RECIPE)
    pipe.send(time.perf_counter() - began)
    while (request := pipe.recv()) is not None:
        vector, text = request
        wall, cpu = time.perf_counter(), time.process_time()
        terms = tuple(analyse(text, "prose"))
        dense, _ = index.search([Search(EVERYTHING, DEPTH, vector=vector), Search(EVERYTHING, DEPTH, terms=terms)])
        pipe.send(([hit.id for hit in dense[:JUDGED]], time.perf_counter() - wall, time.process_time() - cpu))
    pipe.send((before, _memory()))
    engine.close()


def _memory() -> dict[str, int]:
    """Resident megabytes of this process: all of them, and those not backed by files."""
    rows = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {"resident": int(rows["VmRSS"].split()[0]) >> 10, "own": int(rows["RssAnon"].split()[0]) >> 10}


def local_mode(vectors: Matrix) -> object:
    """A client in local mode that holds the vectors, without payload."""
    from qdrant_client import QdrantClient, models

    client = QdrantClient(":memory:")
    client.create_collection("c", models.VectorParams(size=DIMENSION, distance=models.Distance.COSINE))
    client.upload_collection("c", vectors=vectors, ids=range(len(vectors)))
    return client


def exact(vectors: Matrix, queries: Matrix) -> list[set[str]]:
    """Ids of the true nearest of each query."""
    best: list[np.ndarray] = []
    for start in range(0, len(queries), 20):
        scores = queries[start : start + 20] @ vectors.T
        best += list(np.argpartition(-scores, JUDGED, axis=1)[:, :JUDGED])
    return [{_id(int(number)) for number in row} for row in best]


def _id(number: int) -> str:
    document = f"document-{number // CHUNKS_A_DOCUMENT}"
    return point_id(document, document, number % CHUNKS_A_DOCUMENT)


def measure(size: int) -> tuple[Result, dict[str, object]]:
    """Alternate blocks of our hybrid search and of local mode's scan and compare the p95 of each block."""
    figures: dict[str, object] = {"size": size, **prepare(size)}
    vectors = np.fromfile(FOLDERS / f"{size}.f32", np.float32).reshape(size, DIMENSION)
    queries = Clusters().draw(RECALL_QUERIES, seed=0)
    queried = texts(RECALL_QUERIES, seed=5, words=8)
    pipe, far_end = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(target=serve, args=(size, far_end))
    child.start()
    figures["open_s"] = pipe.recv()
    right = 0
    times = []
    for nearest, query, text in zip(exact(vectors, queries), queries, queried, strict=True):
        pipe.send((query, text))
        ids, seconds, _ = pipe.recv()
        right += len(nearest & set(ids))
        times.append(seconds)
    figures["recall"] = right / (JUDGED * len(queries))
    client = local_mode(vectors)
    samples: dict[str, list[Sample]] = {"hybrid": [], "scan": []}
    for pair in range(PAIRS + 1):
        for side in ("hybrid", "scan") if pair % 2 else ("scan", "hybrid"):
            block = _ours(pipe, queries, queried, pair) if side == "hybrid" else _scan(client, queries, pair)
            if pair:
                samples[side].append(block)
    pipe.send(None)
    figures["memory_before"], figures["memory"] = pipe.recv()
    child.join()
    target = Target(f"p95 at {size:,}", FASTER)
    return judge(Case("hybrid", _nothing), Case("scan", _nothing), target, samples, figures), figures


def _nothing() -> None:
    """Blocks are timed by themselves."""


def _ours(pipe: Connection, queries: Matrix, queried: Sequence[str], pair: int) -> Sample:
    walls, cpus = [], []
    for number in range(OURS_A_BLOCK):
        row = (pair * OURS_A_BLOCK + number) % len(queries)
        pipe.send((queries[row], queried[row]))
        _, wall, cpu = pipe.recv()
        walls.append(wall)
        cpus.append(cpu)
    return Sample(_p95(walls), statistics.fmean(cpus), os.getloadavg()[0])


def _scan(client: object, queries: Matrix, pair: int) -> Sample:
    walls, cpus = [], []
    for number in range(SCANS_A_BLOCK):
        query: Vector = queries[(pair * SCANS_A_BLOCK + number) % len(queries)]
        wall, cpu = time.perf_counter(), time.process_time()
        client.query_points("c", query=query, limit=DEPTH)  # type: ignore[attr-defined]
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return Sample(_p95(walls), statistics.fmean(cpus), os.getloadavg()[0])


def _p95(values: Sequence[float]) -> float:
    return float(np.quantile(values, 0.95))


def main() -> None:
    """Measure collections of the sizes, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    FOLDERS.mkdir(parents=True, exist_ok=True)
    measured = [measure(size) for size in parser.parse_args().sizes]
    print(f"{'chunks':>10} {'write s':>8} {'build s':>8} {'open s':>7} {'recall':>7} {'resident MB':>12} {'own MB':>7}")
    for _, row in measured:
        memory = row["memory"]
        assert isinstance(memory, dict)
        print(
            f"{row['size']:>10,} {row['write_s']:>8.1f} {row['build_s']:>8.1f} {row['open_s']:>7.2f} "
            f"{row['recall']:>7.3f} {memory['resident']:>12} {memory['own']:>7}"
        )
    report("scale", [result for result, _ in measured], {"promises": {"recall": RECALL, "resident_mb": MEGABYTES}})


if __name__ == "__main__":
    main()
