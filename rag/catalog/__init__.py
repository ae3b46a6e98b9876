"""The catalog: files, their versions and documents, failures, indexes, conversations and thumbs, in any SQL database.

`Catalog` holds the schema, the engine and what concerns every workspace at once; `Catalog.workspace(name)` gives the
`WorkspaceCatalog` through which one tenant reads and writes; `Catalog.originals` keeps the bytes of every file by
content, with a card for every complete version; `Catalog.recovery` rebuilds a catalog from these; `Catalog.writer` is
the lock of the one writer a data folder has. The schema's history is in `migrations/`.
"""

from rag.catalog.catalog import Catalog, make_data_folder
from rag.catalog.copying import Snapshot
from rag.catalog.feedback import Feedback, FeedbackLog
from rag.catalog.lock import WriterLock
from rag.catalog.messages import Messages
from rag.catalog.originals import Originals, VersionCards
from rag.catalog.records import (
    ConversationRecord,
    DocumentRecord,
    FailureRecord,
    FileRecord,
    Finished,
    IndexRecord,
    NewDocument,
    NewVersion,
    StoredTurn,
    VersionCard,
    VersionRecord,
    VersionState,
)
from rag.catalog.workspace import WorkspaceCatalog

__all__ = [
    "Catalog",
    "ConversationRecord",
    "DocumentRecord",
    "FailureRecord",
    "Feedback",
    "FeedbackLog",
    "FileRecord",
    "Finished",
    "IndexRecord",
    "Messages",
    "NewDocument",
    "NewVersion",
    "Originals",
    "Snapshot",
    "StoredTurn",
    "VersionCard",
    "VersionCards",
    "VersionRecord",
    "VersionState",
    "WorkspaceCatalog",
    "WriterLock",
    "make_data_folder",
]
