"""Any list of systems on one dataset, in one process; a second run reuses vectors and rankings by fingerprint."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from rag.evaluation.collection import VISIBLE, Collection, collect, document_vectors, open_index
from rag.evaluation.datasets import Dataset
from rag.evaluation.metrics import MAIN, MEASURES, per_question
from rag.evaluation.progress import Meter, OnProgress
from rag.evaluation.results import SHOWN, EvaluationResult, JudgedQuestion, SystemScores
from rag.evaluation.searching import Bench, Rankings, run
from rag.evaluation.significance import RESAMPLES, compare, compare_pairs, mean_intervals
from rag.evaluation.systems import (
    DEFAULT,
    NAIVE,
    STANDARD,
    Method,
    PromptPair,
    System,
    distinct,
    get_systems,
    prompt_pairs,
    shipped_prompts,
)
from rag.evaluation.vectors import KnownTexts, VectorCache, digest
from rag.profiles import task_in_force
from rag.retrieval import Corpus, QuestionEmbedder
from rag.settings import Settings
from rag.tasks import Symmetry, TaskSpec, get_task
from rag.types import Embedder, Matrix, Mode, Reranker, Strategy, VectorIndex

CACHE = Path("cache") / "evaluation"
"""Folder of vectors and rankings inside the data folder; it may be removed at any time."""
_SNIPPET = 200
_SHELLS = {"cli", "render", "answerers", "catalog"}


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a run is about to do."""

    dataset: Dataset
    spec: TaskSpec
    settings: Settings
    embedder: Embedder
    systems: tuple[System, ...]
    pairs: Mapping[Symmetry | None, PromptPair]
    shipped: PromptPair
    cache: VectorCache
    reranker: Reranker | None
    meter: Meter


def evaluate(
    dataset: Dataset,
    task: str | TaskSpec,
    settings: Settings,
    embedder: Embedder,
    *,
    systems: Sequence[str] = STANDARD,
    reranker: Reranker | None = None,
    progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
    resamples: int = RESAMPLES,
) -> EvaluationResult:
    """Rank a dataset's documents by every system and say which is better, and how sure that is.

    Args:
        dataset: Documents, questions and judgments.
        task: Says how documents are cut, prompted and fused; a name takes the task's profile into account.
        settings: Model, prompts, strategy and data folder.
        embedder: The model in force.
        systems: Names out of `SYSTEMS`; `naive` is always among them.
        reranker: For systems with `+rerank` behind their name.
        progress: Told of every step.
        cancel: Stops the run when set.
        resamples: Of the bootstrap and of the randomisation test.

    Raises:
        UnknownNameError: No such task or system.
        DatasetError: The documents are empty.
        CancelledError: A person stopped the run.
    """
    started = time.monotonic()
    spec = task_in_force(settings.data_dir, get_task(task)) if isinstance(task, str) else task
    model = settings.embedding_model
    pairs = prompt_pairs(settings, model, spec)
    chosen = distinct(get_systems(systems, reranker is not None), pairs)
    cache = VectorCache(embedder, model, settings.data_dir / CACHE / "vectors")
    shipped = shipped_prompts(settings, model, spec)
    meter = Meter(progress, cancel)
    plan = _Plan(dataset, spec, settings, embedder, chosen, pairs, shipped, cache, reranker, meter)
    rankings, chunks = _rank(plan)
    meter.begin("Comparing", 1)
    found = _result(plan, rankings, chunks, resamples)
    meter.step()
    return replace(found, seconds=round(time.monotonic() - started, 2))


def _rank(plan: _Plan) -> tuple[dict[str, Rankings], int]:
    """Rankings by system, and the number of chunks; kept ones are read, the rest is made and kept."""
    keys = {system.name: _key(plan, system) for system in plan.systems}
    folder = plan.settings.data_dir / CACHE / "rankings"
    found: dict[str, Rankings] = {}
    chunks = 0
    for name, key in keys.items():
        kept = _read(folder / f"{key}.json")
        if kept is not None:
            found[name], chunks = kept
    todo = [system for system in plan.systems if system.name not in found]
    if todo:
        collection = collect(
            plan.dataset, plan.spec, plan.embedder, [pair[1] for pair in plan.pairs.values()], plan.meter
        )
        chunks = len(collection.chunks)
        for system, rankings in _made(plan, todo, collection):
            found[system.name] = rankings
            _write(folder / f"{keys[system.name]}.json", rankings, chunks)
    return found, chunks


def _made(plan: _Plan, todo: Sequence[System], collection: Collection) -> Iterator[tuple[System, Rankings]]:
    documents, queries = _embed(plan, todo, collection)
    methods = {system.method for system in todo}
    with ExitStack() as stack:
        index = corpus = None
        if methods - {Method.DENSE}:
            modes = {}
            if Method.RRF in methods:
                modes[Mode.NAIVE] = documents[""]
            if Method.PRODUCT in methods:
                modes[Mode.TASK_AWARE] = documents[plan.shipped[1]]
            model = plan.settings.embedding_model
            index = stack.enter_context(open_index(collection, model, plan.embedder, modes, plan.shipped, plan.meter))
        for system in todo:
            plan.meter.begin(f"Asking {system.name}", len(plan.dataset.questions))
            if system.method is Method.PRODUCT and index is not None:
                corpus = _corpus(plan, queries, index, system)
            strategy = Strategy(plan.settings.strategy)
            bench = Bench(plan.dataset, collection, index, corpus, strategy, plan.reranker, plan.meter)
            query, document = _prompts(plan, system) or ("", "")
            own = replace(system, reranked=False) if system.method is Method.PRODUCT else system
            yield system, run(bench, own, queries.get(query), documents.get(document))


def _corpus(plan: _Plan, queries: Mapping[str, Matrix], index: VectorIndex, system: System) -> Corpus:
    """What the product's retrieval asks; its question embedder knows the vectors that are kept."""
    prompt = plan.shipped[0]
    texts = [prompt + question.text for question in plan.dataset.questions]
    known = KnownTexts(plan.embedder, dict(zip(texts, queries[prompt], strict=True)))
    reranker = plan.reranker if system.reranked else None
    return Corpus(plan.spec, index, QuestionEmbedder(known), prompt, lambda: VISIBLE, reranker)


def _prompts(plan: _Plan, system: System) -> PromptPair | None:
    if system.method is Method.BM25:
        return None
    return plan.shipped if system.method is Method.PRODUCT else plan.pairs[system.prompts]


def _embed(plan: _Plan, todo: Sequence[System], collection: Collection) -> tuple[dict[str, Matrix], dict[str, Matrix]]:
    """Vectors of chunks by document prompt and of questions by query prompt, each made once."""
    wanted = [pair for system in todo if (pair := _prompts(plan, system)) is not None]
    asked = [question.text for question in plan.dataset.questions]
    documents: dict[str, Matrix] = {}
    queries: dict[str, Matrix] = {}
    inputs = collection.inputs
    texts = len(set(asked)) * len({pair[0] for pair in wanted}) + len(set(inputs)) * len({pair[1] for pair in wanted})
    size = sum(map(len, set(asked))) * len({pair[0] for pair in wanted})
    size += sum(map(len, set(inputs))) * len({pair[1] for pair in wanted})
    plan.meter.begin("Embedding", texts, float(size))
    for query, document in wanted:
        if query not in queries:
            queries[query] = plan.cache.encode([query + text for text in asked], plan.meter)
        if document not in documents:
            documents[document] = document_vectors(collection, document, plan.cache, plan.meter)
    return documents, queries


def _result(plan: _Plan, rankings: Mapping[str, Rankings], chunks: int, resamples: int) -> EvaluationResult:
    dataset = plan.dataset
    judged = {question.id: dataset.judged[question.id] for question in dataset.questions}
    values = {system.name: per_question(rankings[system.name], judged) for system in plan.systems}
    main = {name: found[MAIN] for name, found in values.items()}
    intervals = {
        measure: mean_intervals({name: found[measure] for name, found in values.items()}, resamples)
        for measure in MEASURES
    }
    rivals = [(DEFAULT, name) for name in main if name != DEFAULT] if DEFAULT in main else []
    return EvaluationResult(
        dataset=dataset.name,
        origin=dataset.origin,
        task=plan.spec.name,
        model=plan.settings.embedding_model.id,
        precision=plan.embedder.precision,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=0.0,
        documents=len(dataset.documents),
        chunks=chunks,
        questions=tuple(
            JudgedQuestion(one.id, one.text, {key: grade for key, grade in judged[one.id].items() if grade > 0})
            for one in dataset.questions
        ),
        systems=tuple(
            SystemScores(
                name=system.name,
                title=system.title,
                group=system.group.value,
                prompts=_prompts(plan, system),
                shipped=_prompts(plan, system) == plan.shipped,
                means={measure: float(scores.mean()) for measure, scores in values[system.name].items()},
                intervals={measure: intervals[measure][system.name] for measure in MEASURES},
                values={measure: tuple(scores.tolist()) for measure, scores in values[system.name].items()},
                rankings=tuple(rankings[system.name][one.id][:SHOWN] for one in dataset.questions),
            )
            for system in plan.systems
        ),
        comparisons=tuple(compare(main, NAIVE, resamples=resamples).values()),
        rivals=tuple(compare_pairs(main, rivals, resamples=resamples)),
        snippets=_snippets(dataset, rankings),
        notes=dataset.notes,
    )


def _snippets(dataset: Dataset, rankings: Mapping[str, Rankings]) -> dict[str, str]:
    """How each document begins that is relevant or among the first of a ranking."""
    shown = {key for found in rankings.values() for ids in found.values() for key in ids[:SHOWN]}
    shown |= {key for grades in dataset.judged.values() for key in grades}
    texts = ((one.id, " ".join(f"{one.title} {one.text[: 2 * _SNIPPET]}".split())) for one in dataset.documents)
    return {key: text[:_SNIPPET] for key, text in texts if key in shown}


# -- what is kept ------------------------------------------------------------------------------------------------------


def _key(plan: _Plan, system: System) -> str:
    """All that determines a ranking: data, system, recipe, settings, and this program itself."""
    dataset = plan.dataset
    return digest(
        _code(),
        [asdict(document) for document in dataset.documents],
        [asdict(question) for question in dataset.questions],
        sorted(dataset.self_matches),
        asdict(system),
        _prompts(plan, system),
        [pair[1] for pair in plan.pairs.values()],
        asdict(plan.spec),
        plan.cache.identity,
        plan.settings.strategy,
        plan.settings.reranker if system.reranked else "",
    )


@cache
def _code() -> str:
    """Hash of this package's source, so that no ranking outlives the code that made it."""
    root = Path(__file__).resolve().parents[1]
    files = sorted(path for path in root.rglob("*.py") if path.relative_to(root).parts[0] not in _SHELLS)
    return hashlib.blake2b(b"\0".join(path.read_bytes() for path in files), digest_size=16).hexdigest()


def _read(path: Path) -> tuple[Rankings, int] | None:
    """Rankings that were kept, with the number of chunks; None when there are none or the file is damaged."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return {question: tuple(ids) for question, ids in kept["rankings"].items()}, int(kept["chunks"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _write(path: Path, rankings: Rankings, chunks: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pending = path.with_suffix(".new")
    pending.write_text(json.dumps({"chunks": chunks, "rankings": rankings}), encoding="utf-8")
    pending.replace(path)
