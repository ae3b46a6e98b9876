"""Measuring retrieval: datasets, systems, runs, metrics, significance, reports and choosing by measurement.

    dataset = load_dataset(Path("my-data"))
    result = evaluate(dataset, "faq", settings, embedder)
    write_report(result, Path("report"))

`tables` gives a result as strings for a terminal or a page.
"""

from rag.evaluation.datasets import Dataset, Question, Record, assemble, load_dataset
from rag.evaluation.metrics import MAIN, MEASURES
from rag.evaluation.progress import OnProgress, Progress
from rag.evaluation.reports import headline, report_files, write_report
from rag.evaluation.results import EvaluationResult, Mover, from_json, movers, saved_results, to_json
from rag.evaluation.runs import evaluate
from rag.evaluation.significance import Comparison, Interval, Verdict
from rag.evaluation.systems import STANDARD, SYSTEMS, System
from rag.evaluation.tables import Table, tables

__all__ = [
    "MAIN",
    "MEASURES",
    "STANDARD",
    "SYSTEMS",
    "Comparison",
    "Dataset",
    "EvaluationResult",
    "Interval",
    "Mover",
    "OnProgress",
    "Progress",
    "Question",
    "Record",
    "System",
    "Table",
    "Verdict",
    "assemble",
    "evaluate",
    "from_json",
    "headline",
    "load_dataset",
    "movers",
    "report_files",
    "saved_results",
    "tables",
    "to_json",
    "write_report",
]
