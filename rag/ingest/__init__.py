"""Files into committed versions: idempotent, resumable, with progress; and the index of each task, opened and rebuilt.

`discover` and `stage` say which files, `Ingestor` adds, replaces, deletes and rebuilds them, `Indexes` opens the index
of a task for whoever searches it.
"""

from rag.ingest.indexes import Indexes
from rag.ingest.ingestor import Ingestor
from rag.ingest.items import IngestItem, discover, stage, unstage
from rag.ingest.report import Completion, FileOutcome, IngestReport, ReindexReport, Status

__all__ = [
    "Completion",
    "FileOutcome",
    "Indexes",
    "IngestItem",
    "IngestReport",
    "Ingestor",
    "ReindexReport",
    "Status",
    "discover",
    "stage",
    "unstage",
]
