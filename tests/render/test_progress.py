import pytest

from rag.jobs import Progress
from rag.render import progress_line


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (Progress("Hashing", 0, 0), "Hashing"),
        (Progress("Ranking", 10, 2000), "Ranking · 10 of 2,000"),
        (Progress("Reading", 1, 1, "file"), "Reading · 1 of 1 file"),
        (
            Progress("Embedding", 1, 4, "text", rate=5, seconds_left=65),
            "Embedding · 1 of 4 texts · 5/s · 1 min 5 s left",
        ),
        (Progress("Embedding", 1, 3, "file", "a.md", 12, "chunk", 40.0), "Embedding · 1 of 3 files · 12 chunks, 40/s"),
    ],
)
def test_progress_in_words(progress, line):
    assert progress_line(progress) == line


def test_a_job_that_is_stopping_says_so_instead_of_its_stage():
    assert progress_line(Progress("Embedding", 1, 3), stopping=True) == "Stopping after the current step · 1 of 3"
