"""Files into committed versions: idempotent, resumable, with progress; and the index of each task, opened and rebuilt.

    items -> plan -> reader threads -> vectors -> writer thread
    (items)         (reading)         (vectors)  (storing)        all moved by `pipeline`, for `ingestor` and `reindex`

`survey` and `stage` name the files, `Ingestor` adds, replaces, deletes and rebuilds them, `Indexes` opens the index
of a task for whoever searches it or writes to it.
"""

from rag.ingest.indexes import Indexes, IndexInForce
from rag.ingest.ingestor import Ingestor
from rag.ingest.items import IngestItem, stage, unstage
from rag.ingest.report import Completion, FileOutcome, FileStatus, IngestReport, ReindexReport
from rag.ingest.walking import Survey, discover, survey

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
    "Survey",
    "discover",
    "stage",
    "survey",
    "unstage",
]
