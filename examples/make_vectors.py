"""Write what the bundled models make of the sample library: `python -m examples.make_vectors`, from the root.

Run it after a change of the library, of the chunks or of a prompt; `tests/ingest/test_sample.py` says when.
"""

import tempfile
from collections import defaultdict
from pathlib import Path

from rag.ingest.report import FileStatus
from rag.ingest.sample import VECTORS, SampleVectors, sample_items
from rag.parts import Parts
from rag.settings import AUTO, load_settings
from rag.types import Filter


def main() -> None:
    vectors = defaultdict(dict)
    with tempfile.TemporaryDirectory() as folder:
        parts = Parts(load_settings(data_dir=Path(folder), second_model=AUTO, comparison=True))
        for task, items in sample_items().items():
            report = parts.ingestor.ingest(items, task)
            assert all(outcome.status is FileStatus.ADDED for outcome in report.outcomes), report.outcomes
            for points in parts.indexes.open(task).scroll(Filter(parts.settings.workspace), with_vectors=True):
                for point in points:
                    vectors[point.payload.content] |= point.vectors
        parts.close()
    SampleVectors(vectors).save(VECTORS)


if __name__ == "__main__":
    main()
