"""All signals' candidates of a dataset's questions, found once, so that any mix of them is array arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.evaluation.data.datasets import Dataset
from rag.evaluation.hashing import digest
from rag.jobs import Meter
from rag.retrieval.fusion import Mixture
from rag.retrieval.retriever import Gathered, Retriever

CUTOFF = 10
"""Documents of a ranking that are judged."""
_ABSENT = -2
"""Rank of a document that was added since the dataset was read."""
_DISCOUNTS = 1.0 / np.log2(np.arange(2, CUTOFF + 2))


@dataclass(frozen=True, slots=True)
class SignalMix:
    """How signals are mixed.

    Attributes:
        shares: Of each dense signal, by name; those that are missing have none.
        weight: Share of the dense signals together, in [0, 1].
        spread: How much near entries answer for each other.
    """

    shares: Mapping[str, float]
    weight: float
    spread: float = 0.0


@dataclass(frozen=True, slots=True)
class GatheredQuestion:
    """One question with its candidates and judgments.

    Attributes:
        id: Of the question.
        gathered: The candidates of every signal.
        owners: Rank of each candidate's document among all document ids of the dataset, shape (candidates,).
        gains: By that rank, of the documents judged relevant.
        best: DCG@10 of the best ranking; 0 when nothing is relevant.
        excluded: Rank of the question's own document, which is left out; -1 for none.
    """

    id: str
    gathered: Gathered
    owners: NDArray[np.intp]
    gains: Mapping[int, float]
    best: float
    excluded: int

    def quality(self, mix: SignalMix) -> float:
        """Return nDCG@10 with linear gain of the documents as a mix ranks them."""
        if not self.best:
            return 0.0
        mixture = self.gathered.mixture
        wanted_shares = np.array([mix.shares.get(name, 0.0) for name in mixture.signals])
        if not wanted_shares.any() and len(
            wanted_shares
        ):  # the only signals that are asked for do not know the language
            wanted_shares = np.eye(len(wanted_shares))[0]
        shares, weight = self.gathered.say.weigh(wanted_shares, mix.weight)
        order, totals = mixture.order(mixture.totals(shares, weight), mix.spread)
        owners = self.owners[order]
        # Hits of one score go by document id, as in every ranking of an evaluation.
        ranked = owners[np.lexsort((owners, -totals))] if mix.spread == 0 else owners
        documents = dict.fromkeys(ranked.tolist())
        documents.pop(self.excluded, None)
        gains = [self.gains.get(document, 0.0) for document in list(documents)[:CUTOFF]]
        return float(np.dot(gains, _DISCOUNTS[: len(gains)])) / self.best


def _documents(mixture: Mixture) -> Sequence[str]:
    return mixture.documents


def gather_questions(
    retriever: Retriever, dataset: Dataset, meter: Meter, owners_of: Callable[[Mixture], Sequence[str]] = _documents
) -> list[GatheredQuestion]:
    """Ask the product's retriever every question of a dataset once, in the order in which evaluations ask.

    Args:
        retriever: Over the dataset's index; it has seen no question yet.
        dataset: Questions and judgments.
        meter: Told of each question.
        owners_of: Gives the judged thing that each candidate belongs to, by default its document.

    Returns:
        In the dataset's order.
    """
    ranks = {key: rank for rank, key in enumerate(sorted(record.id for record in dataset.documents))}
    gathered: dict[str, GatheredQuestion] = {}
    for question in sorted(dataset.questions, key=lambda query: digest(query.id)):
        found = retriever.gather(question.text)
        judged = {ranks[key]: float(grade) for key, grade in dataset.judged[question.id].items() if key in ranks}
        gains = {key: grade for key, grade in judged.items() if grade > 0}
        ideal = sorted(gains.values(), reverse=True)[:CUTOFF]
        owners = np.array([ranks.get(owner, _ABSENT) for owner in owners_of(found.mixture)], np.intp)
        own = ranks.get(question.id, -1) if question.id in dataset.self_matches else -1
        best = float(np.dot(ideal, _DISCOUNTS[: len(ideal)]))
        gathered[question.id] = GatheredQuestion(question.id, found, owners, gains, best, own)
        meter.step()
    return [gathered[question.id] for question in dataset.questions]


def qualities(questions: Sequence[GatheredQuestion], mixes: Sequence[SignalMix]) -> NDArray[np.float64]:
    """Return nDCG@10 of every mix on every question, shape (mixes, questions)."""
    return np.array([[question.quality(mix) for question in questions] for mix in mixes])
