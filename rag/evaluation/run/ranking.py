"""Rankings of every system of a run: kept ones are read, the rest is embedded, indexed and asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

from rag.evaluation.data.datasets import Dataset
from rag.evaluation.files import write_output
from rag.evaluation.hashing import digest
from rag.evaluation.run.collection import VISIBLE, ChunkedCorpus, collect, document_vectors, open_index
from rag.evaluation.run.searching import Bench, Rankings, rank_questions
from rag.evaluation.run.systems import Method, PromptPair, System
from rag.evaluation.run.vectors import KnownTexts, VectorCache
from rag.jobs import Meter
from rag.retrieval.centring import QuestionMemory
from rag.retrieval.retriever import Corpus, QuestionEmbedder
from rag.settings import Settings
from rag.tasks import Symmetry, TaskSpec
from rag.types import Embedder, Matrix, Mode, Reranker, Strategy, VectorIndex

CACHE = Path("cache") / "evaluation"
"""Folder of vectors, rankings and results inside the data folder; it may be removed at any time."""
_NOT_RANKING = frozenset(
    {"cli", "render", "answerers", "catalog", "ingest", "prompting", "history", "jobs", "services", "chain"}
    | {"recording", "status", "sample", "parts"}
)
"""Modules that have no part in a ranking, so that a change in them makes none again."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is about to do.

    Attributes:
        pairs: The exact prompts by mode.
        shipped: The prompts of the task as it ships.
    """

    dataset: Dataset
    spec: TaskSpec
    settings: Settings
    embedder: Embedder
    systems: tuple[System, ...]
    pairs: Mapping[Symmetry, PromptPair]
    shipped: PromptPair
    cache: VectorCache
    reranker: Reranker | None
    meter: Meter


def rank(plan: Plan) -> tuple[dict[str, Rankings], int]:
    """Rankings by system, and the number of chunks; kept ones are read, the rest is made and kept.

    Raises:
        DatasetError: The documents are empty.
        CancelledError: A person stopped the work; what was finished is kept.
    """
    keys = {system.name: key_of(plan, system) for system in plan.systems}
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


def _made(plan: Plan, todo: Sequence[System], collection: ChunkedCorpus) -> Iterator[tuple[System, Rankings]]:
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
            plan.meter.begin(f"Asking {system.name}", len(plan.dataset.questions), "question")
            if system.method is Method.PRODUCT and index is not None:
                corpus = _corpus(plan, queries, index, system)
            strategy = Strategy(plan.settings.strategy)
            bench = Bench(plan.dataset, collection, index, corpus, strategy, plan.reranker, plan.meter)
            query, document = prompts_of(plan, system) or ("", "")
            own = replace(system, reranked=False) if system.method is Method.PRODUCT else system
            yield system, rank_questions(bench, own, queries.get(query), documents.get(document))


def _corpus(plan: Plan, queries: Mapping[str, Matrix], index: VectorIndex, system: System) -> Corpus:
    """What the product's retrieval asks; its question embedder knows the vectors that are kept."""
    prompt = plan.shipped[0]
    texts = [prompt + question.text for question in plan.dataset.questions]
    known = KnownTexts(plan.embedder, dict(zip(texts, queries[prompt], strict=True)))
    reranker = plan.reranker if system.reranked else None
    memory = QuestionMemory() if plan.spec.centred else None
    questions = QuestionEmbedder(known)
    return Corpus(plan.spec, index, questions, prompt, lambda: VISIBLE, reranker, memory=memory)


def prompts_of(plan: Plan, system: System) -> PromptPair | None:
    """The exact prompts that a system puts before queries and documents; None when it embeds nothing."""
    if system.method is Method.BM25:
        return None
    return plan.shipped if system.method is Method.PRODUCT else plan.pairs[system.prompts]


def _embed(
    plan: Plan, todo: Sequence[System], collection: ChunkedCorpus
) -> tuple[dict[str, Matrix], dict[str, Matrix]]:
    """Vectors of chunks by document prompt and of questions by query prompt, each made once."""
    wanted = [pair for system in todo if (pair := prompts_of(plan, system)) is not None]
    asked = [question.text for question in plan.dataset.questions]
    documents: dict[str, Matrix] = {}
    queries: dict[str, Matrix] = {}
    inputs = collection.inputs
    texts = len(set(asked)) * len({pair[0] for pair in wanted}) + len(set(inputs)) * len({pair[1] for pair in wanted})
    size = sum(map(len, set(asked))) * len({pair[0] for pair in wanted})
    size += sum(map(len, set(inputs))) * len({pair[1] for pair in wanted})
    plan.meter.begin("Embedding", texts, "text", weight=float(size))
    for query, document in wanted:
        if query not in queries:
            queries[query] = plan.cache.encode([query + text for text in asked], plan.meter)
        if document not in documents:
            documents[document] = document_vectors(collection, document, plan.cache, plan.meter)
    return documents, queries


def key_of(plan: Plan, system: System) -> str:
    """All that determines a ranking: data, system, recipe, settings, and this program itself."""
    dataset = plan.dataset
    return digest(
        _code(),
        [asdict(document) for document in dataset.documents],
        [asdict(question) for question in dataset.questions],
        sorted(dataset.self_matches),
        asdict(system),
        prompts_of(plan, system),
        [pair[1] for pair in plan.pairs.values()],
        asdict(plan.spec),
        plan.cache.identity,
        plan.settings.strategy,
        plan.settings.reranker if system.reranked else "",
    )


@cache
def _code() -> str:
    """Hash of this package's source, so that no ranking outlives the code that made it."""
    root = Path(__file__).resolve().parents[2]
    files = sorted(path for path in root.rglob("*.py") if _top(path, root) not in _NOT_RANKING)
    return hashlib.blake2b(b"\0".join(path.read_bytes() for path in files), digest_size=16).hexdigest()


def _top(path: Path, root: Path) -> str:
    return path.relative_to(root).parts[0].removesuffix(".py")


def _read(path: Path) -> tuple[Rankings, int] | None:
    """Rankings that were kept, with the number of chunks; None when there are none or the file is damaged."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return {question: tuple(ids) for question, ids in kept["rankings"].items()}, int(kept["chunks"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _write(path: Path, rankings: Rankings, chunks: int) -> None:
    write_output(path, json.dumps({"chunks": chunks, "rankings": rankings}))
