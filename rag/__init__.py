"""Task-Aware RAG: chat with your own documents, with retrieval that is task-aware and measured.

The names below are public; everything else may change. Each is imported when it is first used, so `import rag` is
quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PUBLIC = {
    "answering.chain": "AnswerEvent Event SourcesEvent TokenEvent",
    "catalog": "ConversationRecord DocumentRecord FailureRecord FileRecord StoredTurn",
    "errors": "CancelledError NotFoundError RagError",
    "evaluation.report.charts": "differences_chart means_chart",
    "evaluation.report.reports": "report_files",
    "evaluation.report.tables": "Finding ReportTable Section headline tables",
    "evaluation.run.results": "EvaluationResult movers",
    "evaluation.run.systems": "SYSTEMS",
    "evaluation.run.tuner": "TuneResult",
    "ingest": "FileOutcome IngestReport ReindexReport",
    "jobs": "JobState JobView Jobs Progress",
    "models": "MODELS EmbeddingModel prompt",
    "retrieval.langchain": "TaskRetriever",
    "retrieval.request": "Comparison Filters Request Retrieved",
    "services": "Rag",
    "settings": "Settings load_settings",
    "status": "Status",
    "tasks": "TASKS TaskSpec get_task",
    "types": "Answer Chunk Citation Document Hit Mode Role Strategy",
}
"""Public names by the module that defines them."""
_MODULES = {name: module for module, names in _PUBLIC.items() for name in names.split()}
__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    return getattr(import_module(f"rag.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
