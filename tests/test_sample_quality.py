"""The bundled models find in the sample library what they found when the figures were written.

Every judged question is asked as a person would, of the index that `ingest --sample` makes. To renew the figures after
a change of recipes, run `pytest -o addopts= -s tests/test_sample_quality.py`, put what it prints into `NDCG`, say in
the commit why they moved.
"""

import time

import pytest

from rag import Rag, Request
from rag.evaluation.stats.metrics import MAIN, per_question
from rag.ingest.sample import SampleVectors, sample_items
from rag.settings import AUTO, load_settings
from rag.types import Filter

NDCG = {"qa": 0.614, "faq": 0.559, "similar": 0.800, "code": 0.782, "summary": 0.881}
"""nDCG@10 of each task as it ships, over the judged questions of the sample library."""
TOLERANCE = 0.03

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sampled(tmp_path_factory):
    """The sample library, embedded here; the naive vectors are left out, as nothing here asks for them."""
    folder = tmp_path_factory.mktemp("sampled")
    rag = Rag(load_settings(data_dir=folder, second_model=AUTO, comparison=False))
    started = time.perf_counter()
    chunks = sum(rag.ingest_items(items, task).embedded for task, items in sample_items().items())
    print(f"\n{chunks} chunks in {time.perf_counter() - started:.1f} s, the models unpacked in it")  # noqa: T201
    yield rag
    rag.close()


def test_the_vectors_that_come_with_the_library_are_those_of_the_models(sampled):
    shipped = SampleVectors.load().vectors
    for task in NDCG:
        for points in sampled._parts.indexes.open(task).scroll(Filter(sampled.settings.workspace), with_vectors=True):
            for point in points:
                for name, vector in point.vectors.items():
                    assert float(vector @ shipped[point.payload.content][name]) > 0.995


@pytest.mark.parametrize("task", NDCG)
def test_the_default_of_a_task_finds_what_it_found(sampled, task):
    dataset = sampled.evaluations.from_index(task, "sample")
    rankings = {
        question.id: [hit.id for hit in sampled.search(Request(question.text, task, k=10)).hits]
        for question in dataset.questions
    }
    measured = float(per_question(rankings, dataset.judged, [MAIN])[MAIN].mean())
    print(f'\n"{task}": {measured:.3f}, of {len(rankings)} questions')  # noqa: T201
    assert measured == pytest.approx(NDCG[task], abs=TOLERANCE)
