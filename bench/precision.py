"""nDCG@10 of the shipped precision against float32 on judged sets, with intervals: `python -m bench.precision`.

`--data` names a folder with the sets of `SETS` in the BEIR layout. Without such a folder, sets are made from what comes
with Python (`bench.generated`). The first run embeds every set twice and stores the vectors in `.bench/precision/`;
later runs take seconds.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.generated import JudgedSet, library, manual
from bench.harness import FOLDER, write
from rag import Settings, get_task
from rag.embedding import open_embedder
from rag.recipes import resolve
from rag.types import Matrix

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
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
GENERATED = {"python_manual": manual, "python_library": library}
DEPTH = 10
RESAMPLES = 2000
PROMISE = 0.99


def judged_sets(data: Path) -> dict[str, Callable[[], JudgedSet]]:
    """Readers by name: of the sets in the folder or, when it has none of them, of generated ones."""
    present = [name for name in SETS if (data / name / "corpus.jsonl").is_file()]
    if present:
        return {name: partial(read, data / name) for name in present}
    print(
        f"Found none of {', '.join(SETS)} in {data}, expected folders with corpus.jsonl; name one by --data.\n"
        f"Measuring on sets made from what comes with Python instead: {', '.join(GENERATED)}."
    )
    return dict(GENERATED)


def read(folder: Path) -> JudgedSet:
    """Read a set, without the queries that no document is judged for."""
    documents = {row["_id"]: _text(row) for row in _rows(folder / "corpus.jsonl")}
    judged: dict[str, dict[str, int]] = {}
    for path in sorted((folder / "qrels").glob("*.tsv")) or sorted(folder.glob("qrels*.tsv")):
        with path.open(encoding="utf-8") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                if int(row["score"]) > 0 and row["corpus-id"] in documents:
                    judged.setdefault(row["query-id"], {})[row["corpus-id"]] = int(row["score"])
    queries = {row["_id"]: _text(row) for row in _rows(folder / "queries.jsonl") if row["_id"] in judged}
    drawn = sorted(queries, key=lambda i: hashlib.sha256(i.encode()).hexdigest())[:QUERIES]
    return JudgedSet(SETS[folder.name], documents, {i: queries[i] for i in drawn}, judged)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def _text(row: Mapping[str, str]) -> str:
    return " ".join(part for part in (row.get("title", ""), row["text"]) if part)


def vectors(texts: Sequence[str], precision: str, cache: str) -> Matrix:
    """Vectors of exact texts, from `.bench/precision/` when it has them."""
    digest = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
    path = FOLDER / "precision" / f"{cache}-{precision}-{digest}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        embedder = open_embedder(Settings(data_dir=FOLDER / "data", precision=precision))  # type: ignore[arg-type]
        np.save(path, embedder.encode(texts))
    rows: Matrix = np.load(path)
    return rows


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


def score(name: str, judged: JudgedSet, precision: str) -> NDArray[np.float64]:
    """nDCG@10 of each query of a set, task-aware, dense."""
    recipe = resolve(Settings(), get_task(judged.task))
    ids = list(judged.documents)
    documents = [recipe.document_prompt + text[:LONGEST] for text in judged.documents.values()]
    queries = [recipe.query_prompt + text[:LONGEST] for text in judged.queries.values()]
    stored = vectors(documents, precision, f"{name}-documents")
    rows = vectors(queries, precision, f"{name}-queries")
    return np.array(
        [ndcg(stored, ids, row, judged.judged[key], key) for key, row in zip(judged.queries, rows, strict=True)],
        dtype=np.float64,
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
    parser.add_argument("--data", type=Path, default=DATA, help="folder of judged sets")
    options = parser.parse_args()
    precision, scored, rows = options.precision, [], []
    sets = judged_sets(options.data)
    print(f"{'set':16}{'queries':>8}{'float32':>9}{precision:>9}{'ratio':>8}  95% interval   holds")
    for name, make in sets.items():
        judged = make()
        exact, ours = score(name, judged, "float32"), score(name, judged, precision)
        scored.append((ours, exact))
        rows.append(_record(name, judged.task, exact, ours))
        print(_line(rows[-1]), flush=True)
    all_sets = _together([ours for ours, _ in scored], [exact for _, exact in scored])
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


def _record(name: str, task: str, exact: NDArray[np.float64], ours: NDArray[np.float64]) -> dict[str, Any]:
    middle, low, high = ratio(ours, exact)
    return {
        "set": name,
        "task": task,
        "queries": len(exact),
        "float32": float(exact.mean()),
        "ours": float(ours.mean()),
        "ratio": middle,
        "low": low,
        "high": high,
        "holds": low >= PROMISE,
    }


def _line(row: Mapping[str, Any]) -> str:
    numbers = f"{row['queries']:8}{row['float32']:9.4f}{row['ours']:9.4f}{row['ratio']:8.4f}"
    return f"{row['set']:16}{numbers}  [{row['low']:.4f}, {row['high']:.4f}]  {'yes' if row['holds'] else 'NO'}"


if __name__ == "__main__":
    main()
