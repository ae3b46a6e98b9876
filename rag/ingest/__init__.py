"""Files into committed versions: idempotent, resumable, with progress; and the index of each task, opened and rebuilt.

    items -> plan -> reader threads -> vectors -> writer thread
    (items)         (reading)         (vectors)  (storing)        all moved by `pipeline`, for `ingestor` and `reindex`

`discover` and `stage` name the files, `Ingestor` adds, replaces, deletes and rebuilds them, `Indexes` opens the index
of a task for whoever searches it or writes to it.
"""

from rag.ingest.indexes import Indexes, IndexInForce
from rag.ingest.ingestor import Ingestor
from rag.ingest.items import IngestItem, discover, stage, unstage
from rag.ingest.report import Completion, FileOutcome, FileStatus, IngestReport, ReindexReport

__all__ = [
    "Completion",
    "FileOutcome",
    "FileStatus",
    "IndexInForce",
    "Indexes",
    "IngestItem",
    "IngestReport",
    "Ingestor",
    "ReindexReport",
    "discover",
    "stage",
    "unstage",
]
