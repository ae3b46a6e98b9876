"""Ranking metrics by question, through `ir-measures`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
"""Metric values, shape (questions,), in the order of the questions."""

DEPTH = 100
"""How many documents of a ranking are judged."""
MAIN = "nDCG@10"
"""The metric that verdicts are about."""
MEASURES: tuple[str, ...] = (MAIN, "R@10", "R@100", "RR@10", "AP@100")
"""All metrics. Gain in nDCG is linear in the grade and the discount is log2(rank + 1), as in trec_eval and BEIR.
`RR` is the reciprocal rank of the first relevant document (its mean is MRR), `AP` average precision (mean: MAP)."""


def per_question(
    rankings: Mapping[str, Sequence[str]], judged: Mapping[str, Mapping[str, int]], measures: Sequence[str] = MEASURES
) -> dict[str, Scores]:
    """Score every judged question.

    Args:
        rankings: Document ids, best first, by question id. A judged question without a ranking scores 0.
        judged: Grade by document id, by question id.
        measures: Names as `ir-measures` writes them.

    Returns:
        By metric, values in [0, 1] in the order of `judged`.

    Source:
        Järvelin and Kekäläinen 2002 for nDCG; definitions and values as in trec_eval.
    """
    import ir_measures

    runs = {
        question: {document: float(len(ranking) - position) for position, document in enumerate(ranking)}
        for question, ranking in rankings.items()
        if question in judged
    }
    row = {question: number for number, question in enumerate(judged)}
    values = {measure: np.zeros(len(judged)) for measure in measures}
    parsed = {ir_measures.parse_measure(measure): measure for measure in measures}
    qrels = {question: dict(grades) for question, grades in judged.items()}
    for metric in ir_measures.iter_calc(list(parsed), qrels, runs):
        values[parsed[metric.measure]][row[metric.query_id]] = metric.value
    return values
