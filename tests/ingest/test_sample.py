"""The vectors that come with the sample library: those of its texts and of the models in force, and of nothing else."""

import numpy as np
import pytest

from rag import Rag
from rag.ingest.items import IngestItem
from rag.ingest.report import FileStatus
from rag.ingest.sample import SampleVectors
from rag.settings import AUTO, load_settings


@pytest.fixture
def shipped():
    return SampleVectors.load()


def test_all_of_the_library_has_its_vectors(tmp_path, shipped):
    """Fails when library, chunks, prompts or models changed: then run `python -m examples.make_vectors`."""
    rag = Rag(load_settings(data_dir=tmp_path, second_model=AUTO, comparison=True))
    reports = rag.ingest_sample()
    rag.close()
    assert {outcome.status for report in reports.values() for outcome in report.outcomes} == {FileStatus.ADDED}
    assert sum(report.chunks for report in reports.values()) == len(shipped.vectors)
    assert sum(report.embedded for report in reports.values()) == 0


def test_another_text_is_embedded(tmp_path, shipped):
    rag = Rag(load_settings(data_dir=tmp_path / "data", second_model=AUTO))
    (tmp_path / "mine.md").write_text("# Mine\n\nA text that the library does not have.\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rag.ingest.sample.sample_items", lambda: {"qa": [IngestItem(tmp_path / "mine.md", "mine.md")]})
        assert rag.ingest_sample()["qa"].embedded == 1
    rag.close()


def test_what_is_saved_is_read_back(tmp_path):
    rows = np.random.default_rng(1).normal(size=(3, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    SampleVectors({"b" * 32: {"one": rows[0]}, "a" * 32: {"one": rows[1], "two": rows[2]}}).save(tmp_path / "v.npz")
    back = SampleVectors.load(tmp_path / "v.npz").vectors_by_content("any", ["a" * 32, "b" * 32, "c" * 32])
    assert {content: set(names) for content, names in back.items()} == {"a" * 32: {"one", "two"}, "b" * 32: {"one"}}
    assert float(back["a" * 32]["two"] @ rows[2]) == pytest.approx(1, abs=1e-5)


def test_without_the_file_there_are_none(tmp_path):
    assert SampleVectors.load(tmp_path / "absent.npz").vectors == {}
