"""nDCG@10 of the shipped precision against float32 on the shared sets, with intervals: `python -m bench.precision`.

The first run embeds every set twice and keeps the vectors in `.bench/precision/`; later runs take seconds.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.harness import FOLDER, write
from rag.embedding import open_embedder, task_prompts
from rag.settings import Settings
from rag.types import Matrix

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
SETS = {
    "emanual_tv": "qa",
    "banking77": "faq",
    "stackfaq": "faq",
    "mbpp": "code",
    "cacm_cocite": "similar",
    "covidqa": "qa",
    "nl2bash": "code",
}
LONGEST = 800
"""Most characters of a text; both precisions see the same."""
QUERIES = 1300
"""Most queries of a set."""
DEPTH = 10
RESAMPLES = 2000
PROMISE = 0.99

Judged = Mapping[str, Mapping[str, int]]


def read(name: str) -> tuple[dict[str, str], dict[str, str], Judged]:
    """(documents, queries, judged) of a set by id, queries without a judged document left out."""
    folder = SHARED / name
    documents = {row["_id"]: _text(row)[:LONGEST] for row in _rows(folder / "corpus.jsonl")}
    judged: dict[str, dict[str, int]] = {}
    for path in sorted((folder / "qrels").glob("*.tsv")) or sorted(folder.glob("qrels*.tsv")):
        with path.open(encoding="utf-8") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                if int(row["score"]) > 0 and row["corpus-id"] in documents:
                    judged.setdefault(row["query-id"], {})[row["corpus-id"]] = int(row["score"])
    queries = {row["_id"]: _text(row)[:LONGEST] for row in _rows(folder / "queries.jsonl") if row["_id"] in judged}
    chosen = sorted(queries, key=lambda i: hashlib.sha256(i.encode()).hexdigest())[:QUERIES]
    return documents, {i: queries[i] for i in chosen}, judged


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def _text(row: Mapping[str, str]) -> str:
    return " ".join(part for part in (row.get("title", ""), row["text"]) if part)


def vectors(texts: Sequence[str], precision: str, cache: str) -> Matrix:
    """Vectors of exact texts, from `.bench/precision/` when they are there."""
    digest = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
    path = FOLDER / "precision" / f"{cache}-{precision}-{digest}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        embedder = open_embedder(Settings(data_dir=FOLDER / "data", precision=precision))  # type: ignore[arg-type]
        np.save(path, embedder.encode(texts))
    found: Matrix = np.load(path)
    return found


def ndcg(
    documents: Matrix, ids: Sequence[str], query: NDArray[np.float32], judged: Mapping[str, int], own: str
) -> float:
    """nDCG@10 with linear gain of the exact ranking; a query that is itself a document is left out of it."""
    scores = documents @ query
    best = [int(i) for i in np.argsort(-scores, kind="stable")[: DEPTH + 1] if ids[int(i)] != own][:DEPTH]
    discounts = 1.0 / np.log2(np.arange(2, DEPTH + 2))
    gains = [judged.get(ids[i], 0) for i in best]
    ideal = sorted((grade for doc, grade in judged.items() if doc != own), reverse=True)[:DEPTH]
    return float(np.dot(gains, discounts[: len(gains)]) / max(np.dot(ideal, discounts[: len(ideal)]), 1e-9))


def score(name: str, precision: str) -> NDArray[np.float64]:
    """nDCG@10 of each query of a set, task-aware, dense."""
    settings = Settings()
    query_prompt, document_prompt = task_prompts(settings, settings.embedding_model, SETS[name])
    documents, queries, judged = read(name)
    ids = list(documents)
    stored = vectors([document_prompt + text for text in documents.values()], precision, f"{name}-documents")
    asked = vectors([query_prompt + text for text in queries.values()], precision, f"{name}-queries")
    return np.array(
        [ndcg(stored, ids, row, judged[key], key) for key, row in zip(queries, asked, strict=True)], dtype=np.float64
    )


def ratio(ours: NDArray[np.float64], exact: NDArray[np.float64]) -> tuple[float, float, float]:
    """Ratio of the means with its 95% interval, by paired bootstrap over the queries."""
    rng = np.random.default_rng(0)
    picks = rng.integers(0, len(ours), (RESAMPLES, len(ours)))
    ratios = ours[picks].mean(axis=1) / exact[picks].mean(axis=1)
    low, high = np.quantile(ratios, [0.025, 0.975])
    return float(ours.mean() / exact.mean()), float(low), float(high)


def main() -> None:
    """Print the table and write `.bench/precision.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--precision", default="int8", help="precision that is judged")
    precision = parser.parse_args().precision
    rows = []
    print(f"{'set':16}{'queries':>8}{'float32':>9}{precision:>9}{'ratio':>8}  95% interval   holds")
    for name in SETS:
        exact, ours = score(name, "float32"), score(name, precision)
        middle, low, high = ratio(ours, exact)
        rows.append(_record(name, exact, ours, (middle, low, high)))
        print(_line(name, exact, ours, (middle, low, high)), flush=True)
    all_sets = _together([score(name, precision) for name in SETS], [score(name, "float32") for name in SETS])
    print(f"mean over sets: ratio {all_sets[0]:.4f} [{all_sets[1]:.4f}, {all_sets[2]:.4f}], promise >= {PROMISE}")
    write("precision", {"precision": precision, "promise": PROMISE, "sets": rows, "mean over sets": all_sets})


def _together(ours: Sequence[NDArray[np.float64]], exact: Sequence[NDArray[np.float64]]) -> tuple[float, float, float]:
    """Ratio of the means over sets, each set counting the same, with its 95% interval."""
    rng = np.random.default_rng(0)
    top, bottom = np.zeros(RESAMPLES), np.zeros(RESAMPLES)
    for our, true in zip(ours, exact, strict=True):
        picks = rng.integers(0, len(our), (RESAMPLES, len(our)))
        top += our[picks].mean(axis=1)
        bottom += true[picks].mean(axis=1)
    low, high = np.quantile(top / bottom, [0.025, 0.975])
    return sum(float(o.mean()) for o in ours) / sum(float(e.mean()) for e in exact), float(low), float(high)


def _record(
    name: str, exact: NDArray[np.float64], ours: NDArray[np.float64], interval: tuple[float, float, float]
) -> dict[str, object]:
    return {
        "set": name,
        "task": SETS[name],
        "queries": len(exact),
        "float32": float(exact.mean()),
        "ours": float(ours.mean()),
        "ratio": interval[0],
        "low": interval[1],
        "high": interval[2],
        "holds": interval[1] >= PROMISE,
    }


def _line(
    name: str, exact: NDArray[np.float64], ours: NDArray[np.float64], interval: tuple[float, float, float]
) -> str:
    middle, low, high = interval
    numbers = f"{len(exact):8}{exact.mean():9.4f}{ours.mean():9.4f}{middle:8.4f}"
    return f"{name:16}{numbers}  [{low:.4f}, {high:.4f}]  {'yes' if low >= PROMISE else 'NO'}"


if __name__ == "__main__":
    main()
