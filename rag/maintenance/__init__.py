"""Looking after a library as a whole: whether its parts agree, mending them, and backups.

`check.examine` compares catalog, originals and index; `repair.Repair` mends what it can and says what it did.
`backups.Backups` writes everything into one file, and brings it back.
"""

from rag.maintenance.findings import CheckReport, Fault, FaultKind
from rag.maintenance.service import check_library

__all__ = ["CheckReport", "Fault", "FaultKind", "check_library"]
