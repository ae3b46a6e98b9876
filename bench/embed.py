"""Passages a second against `HuggingFaceEmbeddings.embed_documents` with the same weights: `python -m bench.embed`."""

from __future__ import annotations

import argparse
import os
import pydoc_data.topics
import warnings
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from bench.harness import FOLDER, Case, Result, Target, compare, report
from rag.embedding import TaskEmbeddings, open_embedder
from rag.embedding.batching import padded_share, plan_batches
from rag.embedding.bundled import TOKEN_BUDGET
from rag.settings import Settings

SHORTEST, LONGEST = 20, 500
PROMPT = "passage: "


def passages(count: int, settings: Settings) -> list[str]:
    """Passages of 20 to 500 tokens, every length as likely, cut from Python's own manual."""
    embedder = open_embedder(settings)
    text = "\n\n".join(value for _, value in sorted(pydoc_data.topics.topics.items()))[:400_000]
    spans = embedder.token_offsets(text)
    rng = np.random.default_rng(11)
    cut = []
    for length in rng.integers(SHORTEST, LONGEST + 1, count):
        start = int(rng.integers(0, len(spans) - length))
        cut.append(text[spans[start][0] : spans[start + length - 1][1]])
    return cut


def baseline(settings: Settings) -> Callable[[list[str]], object]:
    """`HuggingFaceEmbeddings` as its documentation shows it: float32, batches of 32."""
    from langchain_huggingface import HuggingFaceEmbeddings

    from rag.embedding.torch_runtime import open_folder

    folder = open_folder(settings.data_dir / "models")
    model = HuggingFaceEmbeddings(
        model_name=str(folder), encode_kwargs={"batch_size": 32, "normalize_embeddings": True, "prompt": PROMPT}
    )
    return model.embed_documents


def cosines(ours: Sequence[Sequence[float]], exact: Sequence[Sequence[float]]) -> dict[str, float]:
    """Lowest and mean cosine between the rows of two lists of unit vectors."""
    products = (np.asarray(ours) * np.asarray(exact)).sum(axis=1)
    return {"lowest cosine": float(products.min()), "mean cosine": float(products.mean())}


def run(count: int, pairs: int) -> list[Result]:
    """Measure both promises: the shipped precision, and the one within 0.9999 of float32."""
    shared = Settings(data_dir=FOLDER / "data")
    texts = passages(count, shared)
    theirs = baseline(shared)
    exact = theirs(texts[:64])
    results = []
    for precision, ratio in (("auto", 4.0), ("bfloat16", 2.5)):
        embedder = open_embedder(shared.model_copy(update={"precision": precision}))
        ours = TaskEmbeddings(embedder, "", PROMPT)
        lengths = [len(embedder.token_offsets(PROMPT + text)) + 2 for text in texts]
        notes = cosines(ours.embed_documents(texts[:64]), exact)  # type: ignore[arg-type]
        notes |= {
            "passages": count,
            "tokens": sum(lengths),
            "padding": padded_share(lengths, plan_batches(lengths, TOKEN_BUDGET)),
        }
        subject = Case(f"ours ({embedder.precision})", partial(ours.embed_documents, texts), count)
        reference = Case("HuggingFaceEmbeddings (float32)", partial(theirs, texts), count)
        results.append(compare(subject, reference, Target("passages embedded", ratio), pairs=pairs, notes=notes))
    return results


def main() -> None:
    """Print the table and write `.bench/embed.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=48)
    parser.add_argument("--pairs", type=int, default=7)
    arguments = parser.parse_args()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    warnings.filterwarnings("ignore")
    results = run(arguments.passages, arguments.pairs)
    report("embed", results)
    for result in results:
        print(result.subject, {name: round(float(str(value)), 5) for name, value in result.notes.items()})


if __name__ == "__main__":
    main()
