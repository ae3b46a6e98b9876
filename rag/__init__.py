"""Task-Aware RAG: chat with your own documents, with retrieval that is task-aware and measured.

The names imported below are public; everything else may change. Each is imported when it is first used, so `import rag`
is quick.
"""
# mypy: implicit-reexport

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the one list: type checkers read it here, `_public_names` reads it off the source
    from rag.answering.chain import AnswerEvent, Event, SourcesEvent, TokenEvent
    from rag.catalog import ConversationRecord, DocumentRecord, FailureRecord, Feedback, FileRecord, StoredTurn
    from rag.errors import CancelledError, DiskFullError, NotFoundError, RagError
    from rag.evaluation.data.datasets import Dataset
    from rag.evaluation.report.charts import differences_chart, means_chart
    from rag.evaluation.report.reports import report_files
    from rag.evaluation.report.tables import Finding, ReportTable, Section, headline, tables
    from rag.evaluation.run.results import EvaluationResult, Mover, movers
    from rag.evaluation.run.systems import SYSTEMS
    from rag.evaluation.run.tuner import TuneResult
    from rag.evaluation.service import Evaluations
    from rag.files import Scratch, keep_private
    from rag.ingest import Completion, FileOutcome, IngestReport, ReindexReport
    from rag.jobs import Jobs, JobState, JobView, OnProgress, Progress
    from rag.logs import configure_logging
    from rag.models import MODELS, EmbeddingModel, prompt
    from rag.retrieval.langchain import TaskRetriever
    from rag.retrieval.request import Comparison, Filters, Request, Retrieved
    from rag.services import Rag
    from rag.settings import Settings, load_settings
    from rag.status import Status
    from rag.tasks import TASKS, TaskSpec, get_task
    from rag.types import Answer, Chunk, Citation, Document, Hit, Mode, Role, Strategy


def _public_names() -> dict[str, str]:
    """Return the module of each public name, read off the imports above."""
    source = ast.parse(Path(__file__).read_text(encoding="utf-8"))
    block = next(node for node in source.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in imports for alias in node.names}


_MODULES = _public_names()
__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return list(__all__)
