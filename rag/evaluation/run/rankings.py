"""Rankings of every system of a run: cached ones are read, the rest is embedded, indexed and asked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from rag.evaluation.data.datasets import Dataset
from rag.evaluation.files import write_output
from rag.evaluation.hashing import digest
from rag.evaluation.run.chunked import ChunkedCorpus, cut_documents
from rag.evaluation.run.contenders import Contender
from rag.evaluation.run.context import EvaluationContext
from rag.evaluation.run.embedded import embed_dataset
from rag.evaluation.run.index import temporary_index
from rag.evaluation.run.ranker import VERSION, Ranker, Rankings, fresh_retriever, starting_candidates
from rag.index import fingerprint
from rag.recipes import RecipeInForce, with_prompts
from rag.retrieval.retriever import VERSION as RETRIEVAL_VERSION
from rag.tasks import PromptMode


def rank_systems(
    context: EvaluationContext, dataset: Dataset, recipe: RecipeInForce, contenders: Sequence[Contender]
) -> tuple[dict[str, Rankings], int]:
    """Rank a dataset's documents by every system; cached rankings are read, the others are made and cached.

    Args:
        context: The product's parts.
        dataset: Documents and questions.
        recipe: The task's recipe in force.
        contenders: The systems, resolved for that recipe.

    Returns:
        Rankings by system, and the number of chunks.

    Raises:
        DatasetError: The documents are empty.
        CancelledError: A person stopped the work; finished vectors and rankings stay.
    """
    prompts = document_prompts(context, recipe)
    paths = _paths(context, dataset, prompts, contenders)
    rankings: dict[str, Rankings] = {}
    chunks = 0
    for name, path in paths.items():
        cached = _read(path)
        if cached is not None:
            rankings[name], chunks = cached
    missing = [contender for contender in contenders if contender.name not in rankings]
    if missing:
        corpus = cut_documents(dataset, recipe.task, context.embedder, prompts, context.meter)
        chunks = len(corpus.chunks)
        for name, ranking in _rank(context, dataset, corpus, missing):
            rankings[name] = ranking
            write_output(paths[name], json.dumps({"chunks": chunks, "rankings": ranking}))
    return rankings, chunks


def document_prompts(context: EvaluationContext, recipe: RecipeInForce) -> list[str]:
    """Every prompt that a system may put before a chunk, so that one cutting serves them all."""
    modes = [with_prompts(context.settings, recipe.task, mode) for mode in PromptMode]
    return [variation.document_prompt for variation in (recipe, *modes)]


def _rank(
    context: EvaluationContext, dataset: Dataset, corpus: ChunkedCorpus, contenders: Sequence[Contender]
) -> Iterator[tuple[str, Rankings]]:
    """Rankings by system, over one index that has the vectors of all of them."""
    embedded = embed_dataset(context, dataset, corpus, [signal for each in contenders for signal in each.signals])
    with temporary_index(context, corpus, contenders[0].recipe, embedded) as index:
        for contender in contenders:
            context.meter.begin(f"Asking {contender.name}", len(dataset.questions), "question")
            reranker = context.reranker if contender.system.reranked else None
            retriever = fresh_retriever(contender.recipe, index, embedded, reranker)
            candidates = None if contender.fuses else starting_candidates(corpus)
            yield contender.name, Ranker(retriever, contender.strategy, candidates).rank(dataset, context.meter)


def _paths(
    context: EvaluationContext, dataset: Dataset, prompts: Sequence[str], contenders: Sequence[Contender]
) -> dict[str, Path]:
    """File of each system's rankings, by the hash of all that determines them."""
    data = digest(
        [asdict(record) for record in dataset.documents],
        [asdict(query) for query in dataset.questions],
        sorted(dataset.self_matches),
        sorted(set(prompts)),
    )
    folder = context.cache / "rankings"
    return {contender.name: folder / f"{ranking_key(context, contender, data)}.json" for contender in contenders}


def ranking_key(context: EvaluationContext, contender: Contender, data: str) -> str:
    """Hash of all that determines a system's rankings: the data, its recipe, and the declared versions of the parts.

    The recipe's fingerprint has the versions of chunking, of cleaning and of the index layout in it.
    """
    return digest(
        (VERSION, RETRIEVAL_VERSION),
        data,
        fingerprint(contender.recipe.identity(context.embedder, context.others)),
        [signal.share for signal in contender.recipe.signals],
        asdict(contender.recipe.task.mix),
        (contender.strategy, contender.fuses),
        context.settings.reranker if contender.system.reranked else "",
        context.vectors.identity,
    )


def _read(path: Path) -> tuple[Rankings, int] | None:
    """Read cached rankings with the number of chunks; None when there are none or the file is damaged."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return {question: tuple(ids) for question, ids in stored["rankings"].items()}, int(stored["chunks"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
