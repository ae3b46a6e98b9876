"""Measuring retrieval: datasets, systems, runs, metrics, significance, reports and choosing by measurement.

    dataset = load_dataset(Path("my-data"))
    result = evaluate(dataset, "faq", settings, embedder)
    write_report(result, Path("report"))

`tables` gives a result as strings for a terminal or a page.
"""

from rag.evaluation.commands import Cost, cost, history, index_dataset, run_evaluation, run_tuning
from rag.evaluation.data.datasets import Dataset, Question, Record, assemble, load_dataset
from rag.evaluation.data.judgments import on_answer, on_citation, write_dataset
from rag.evaluation.progress import OnProgress, Progress
from rag.evaluation.report.charts import differences_chart, means_chart
from rag.evaluation.report.reports import headline, report_files, write_report
from rag.evaluation.report.results import EvaluationResult, Mover, from_json, movers, saved_results, to_json
from rag.evaluation.report.tables import Table, tables
from rag.evaluation.run.runs import evaluate, full_rankings
from rag.evaluation.run.systems import STANDARD, SYSTEMS, System
from rag.evaluation.run.tuner import TuneResult, tune
from rag.evaluation.stats.metrics import MAIN, MEASURES
from rag.evaluation.stats.significance import Comparison, Interval, Verdict

__all__ = [
    "MAIN",
    "MEASURES",
    "STANDARD",
    "SYSTEMS",
    "Comparison",
    "Cost",
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
    "TuneResult",
    "Verdict",
    "assemble",
    "cost",
    "differences_chart",
    "evaluate",
    "from_json",
    "full_rankings",
    "headline",
    "history",
    "index_dataset",
    "load_dataset",
    "means_chart",
    "movers",
    "on_answer",
    "on_citation",
    "report_files",
    "run_evaluation",
    "run_tuning",
    "saved_results",
    "tables",
    "to_json",
    "tune",
    "write_dataset",
    "write_report",
]
