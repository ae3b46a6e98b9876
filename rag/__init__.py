"""Task-Aware RAG: chat with your own documents, with retrieval that is task-aware and measured.

These names are public; everything else may change. Each is imported when it is first used, so `import rag` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.answering.chain import AnswerEvent, Event, SourcesEvent, TaskRetriever, TokenEvent
    from rag.catalog import ConversationRecord, DocumentRecord, FailureRecord, FileRecord
    from rag.errors import CancelledError, NotFoundError, RagError
    from rag.evaluation.report.charts import differences_chart, means_chart
    from rag.evaluation.report.reports import report_files
    from rag.evaluation.report.tables import Finding, ReportTable, Section, headline, tables
    from rag.evaluation.run.results import EvaluationResult, movers
    from rag.evaluation.run.systems import SYSTEMS
    from rag.evaluation.run.tuner import TuneResult
    from rag.history import StoredTurn
    from rag.ingest import FileOutcome, IngestReport, Progress, ReindexReport
    from rag.jobs import Job, Jobs, JobState, JobView
    from rag.models import MODELS, EmbeddingModel, prompt
    from rag.retrieval.retriever import Comparison, Retrieved
    from rag.services import Rag
    from rag.settings import Settings, load_settings
    from rag.status import Status
    from rag.tasks import TASKS, TaskSpec, get_task
    from rag.types import Answer, Chunk, Citation, Document, Hit, Mode, Role, Strategy

_HOMES = {
    "catalog": ("ConversationRecord", "DocumentRecord", "FailureRecord", "FileRecord"),
    "answering.chain": ("AnswerEvent", "Event", "SourcesEvent", "TaskRetriever", "TokenEvent"),
    "errors": ("CancelledError", "NotFoundError", "RagError"),
    "evaluation.report.charts": ("differences_chart", "means_chart"),
    "evaluation.report.reports": ("report_files",),
    "evaluation.report.tables": ("Finding", "ReportTable", "Section", "headline", "tables"),
    "evaluation.run.results": ("EvaluationResult", "movers"),
    "evaluation.run.systems": ("SYSTEMS",),
    "evaluation.run.tuner": ("TuneResult",),
    "history": ("StoredTurn",),
    "ingest": ("FileOutcome", "IngestReport", "Progress", "ReindexReport"),
    "jobs": ("Job", "Jobs", "JobState", "JobView"),
    "models": ("MODELS", "EmbeddingModel", "prompt"),
    "retrieval.retriever": ("Comparison", "Retrieved"),
    "services": ("Rag",),
    "status": ("Status",),
    "settings": ("Settings", "load_settings"),
    "tasks": ("TASKS", "TaskSpec", "get_task"),
    "types": ("Answer", "Chunk", "Citation", "Document", "Hit", "Mode", "Role", "Strategy"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    return getattr(import_module(f"rag.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
