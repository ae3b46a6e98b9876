"""The vectors that come with the sample library: those of its texts and of the models in force, and of nothing else."""

import numpy as np
import pytest

from rag import Rag
from rag.ingest.items import IngestItem
from rag.ingest.report import FileStatus
from rag.ingest.sample import VECTORS, SampleVectors, sample_items, sample_tasks
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


@pytest.mark.parametrize("content", [None, b"", b"version https://git-lfs", "half", "other"])
def test_without_a_whole_file_there_are_none(tmp_path, content, caplog):
    path = tmp_path / "v.npz"
    if content == "other":
        np.savez(path, rows=np.ones(3))
    elif content is not None:
        path.write_bytes(VECTORS.read_bytes()[:500_000] if content == "half" else content)
    assert SampleVectors.load(path).vectors == {}
    assert "so that the sample library is embedded" in caplog.text


def test_the_tasks_of_a_sample_are_told_by_its_files(tmp_path):
    names = dict.fromkeys(sample_items(), ("policies/holidays.md",))
    assert sample_tasks(names) == []
    assert sample_tasks({**names, "faq": ["own.csv", "support/faq.csv"]}) == ["faq"]
    assert sample_tasks(names, tmp_path) == []
