"""Whether catalog, originals and index agree, and bringing them back into line.

`check.examine` compares them and finds; `repair.Repair` mends what it can and says what it did.
"""

from rag.maintenance.findings import CheckReport, Finding, FindingKind
from rag.maintenance.service import check_library

__all__ = ["CheckReport", "Finding", "FindingKind", "check_library"]
