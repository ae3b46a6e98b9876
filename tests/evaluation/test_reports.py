"""Reports say what was measured, keep foreign text as text, and can be read back."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rag.errors import SettingsError
from rag.evaluation.data.datasets import assemble
from rag.evaluation.report.charts import bars_chart, differences_chart, means_chart
from rag.evaluation.report.reports import main_system, per_question_csv, report_files, write_report
from rag.evaluation.report.tables import Section, headline, tables
from rag.evaluation.run.results import EvaluationResult, from_json
from rag.tasks import get_task
from rag.tasks.corpus import Record
from tests.evaluation.build import evaluated, settings_in, topics
from tests.fakes import FakeEmbedder

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> EvaluationResult:
    settings = settings_in(tmp_path_factory.mktemp("data"))
    return evaluated(topics(), settings, FakeEmbedder(dimension=32))


def test_every_file_is_written(result: EvaluationResult, tmp_path: Path) -> None:
    written = write_report(result, tmp_path / "one")
    assert [path.name for path in written] == ["report.md", "report.csv", "report.json", "means.svg", "differences.svg"]
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == sorted(path.name for path in written)
    assert from_json((tmp_path / "one" / "report.json").read_bytes()) == result


def test_prompts_alone_and_the_pipeline_are_apart(result: EvaluationResult) -> None:
    prompts, pipeline, rivals, others = tables(result)
    shipped = get_task("qa").prompts.value
    modes = ["query/passage", "query/query", "passage/passage"]
    assert [row[0] for row in prompts.rows] == [
        "none (naive)",
        *(f"{mode} *" if mode == shipped else mode for mode in modes),
    ]
    assert [row[0] for row in pipeline.rows] == ["naive", "bm25", "hybrid", "default"]
    assert [row[0] for row in rivals.rows] == [shipped, "bm25", "hybrid"]
    for table in (prompts, pipeline, rivals, others):
        assert len(set(table.columns)) == len(table.columns)
        assert all(len(row) == len(table.columns) for row in table.rows)
    assert pipeline.rows[1][1] == f"{result.system('bm25').means['nDCG@10']:.3f}"
    assert others.columns == ("system", "R@10", "R@100", "MRR@10", "MAP@100")
    assert [row[0] for row in others.rows] == list(result.names)
    lines = pipeline.text().splitlines()
    assert lines[1].startswith("system")
    assert len(lines) == 3 + 4


def test_sentences_name_both_effects(result: EvaluationResult) -> None:
    findings = headline(result)
    sections = [finding.section for finding in findings]
    assert sections == [Section.PROMPTS, Section.PIPELINE, Section.RIVALS, Section.RIVALS, Section.RIVALS]
    assert findings[0].sentence == f"Prompts alone: {findings[0].words}"
    assert findings[1].sentence == f"Whole pipeline: {findings[1].words}"
    assert findings[2].sentence == findings[2].words
    report = report_files(result)["report.md"]
    assert all(f"- {finding.sentence}" in report for finding in findings)


def test_the_csv_has_a_line_for_each_question_and_system(result: EvaluationResult) -> None:
    rows = list(csv.DictReader(io.StringIO(per_question_csv(result))))
    assert len(rows) == 24 * 7
    mean = sum(float(row["nDCG@10"]) for row in rows if row["system"] == "default") / 24
    assert mean == pytest.approx(result.system("default").means["nDCG@10"], abs=1e-5)


def test_charts_are_well_formed_and_drawn_to_scale(result: EvaluationResult) -> None:
    means = ElementTree.fromstring(means_chart(result))
    bars = [float(node.get("width", "0")) for node in means.iter(f"{SVG}rect")][1:]
    values = [system.means["nDCG@10"] for system in result.systems]
    assert bars == pytest.approx([value * bars[0] / values[0] for value in values], abs=0.1)
    differences = ElementTree.fromstring(differences_chart(result, "bm25"))
    drawn = list(differences.iter(f"{SVG}rect"))[1:]
    assert len(drawn) == 24
    up = sum(node.get("fill") == "#1a7f5a" for node in drawn)
    assert up == (result.differences("bm25", "naive") > 0).sum()


def test_values_are_drawn_to_scale_in_their_order() -> None:
    drawn = ElementTree.fromstring(bars_chart("Two <systems>", {"naive": 0.25, "default": 0.5}))
    naive, default = list(drawn.iter(f"{SVG}rect"))[1:]
    assert float(default.get("width", "0")) == pytest.approx(2 * float(naive.get("width", "0")), abs=0.1)
    assert naive.get("fill") != default.get("fill")
    assert [node.text for node in drawn.iter(f"{SVG}text")] == ["Two <systems>", "naive", "0.250", "default", "0.500"]


def test_many_questions_are_thinned_to_the_width(result: EvaluationResult) -> None:
    many = replace(
        result,
        questions=result.questions * 100,
        systems=tuple(
            replace(system, values={name: values * 100 for name, values in system.values.items()})
            for system in result.systems
        ),
    )
    drawn = list(ElementTree.fromstring(differences_chart(many, "bm25")).iter(f"{SVG}rect"))
    assert len(drawn) == 641


def test_foreign_text_stays_text(tmp_path: Path) -> None:
    nasty = "=HYPERLINK(1) ![x](http://evil.example/x.png) <img src=x> `a` | b\n# c \x1b[31m"
    documents = {"d1": Record("d1", nasty, f"apple {nasty}"), "d2": Record("d2", "", "pear tree")}
    questions = {"=q1": f"=1+1 pear {nasty}", "q2": "pear"}
    dataset = assemble("<b>set</b>", documents, questions, {("=q1", "d2"): 1, ("q2", "d2"): 1})
    result = evaluated(dataset, settings_in(tmp_path), FakeEmbedder(dimension=8))
    files = report_files(result)
    for line in files["report.md"].splitlines():
        outside = "".join(line.split("`")[::2])
        assert "evil.example" not in outside
        assert "<img" not in outside
        assert "<b>" not in outside
        assert "\x1b" not in line
    assert all(
        not row[0].startswith("=") and not row[1].startswith("=")
        for row in csv.reader(io.StringIO(files["report.csv"]))
    )
    ElementTree.fromstring(files["means.svg"])
    ElementTree.fromstring(files["differences.svg"])


FORMULAS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "\N{FULLWIDTH EQUALS SIGN}1",
    "\N{FULLWIDTH COMMERCIAL AT}1",
)


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_cell_is_a_formula_however_a_spreadsheet_cuts_it(
    formula: str, separator: str, result: EvaluationResult
) -> None:
    first = replace(result.questions[0], id=formula, text=f"{formula}{separator}{formula}")
    hostile = replace(result, questions=(first, *result.questions[1:]))
    table = per_question_csv(hostile)
    for row in csv.reader(io.StringIO(table, newline=""), delimiter=separator):
        for cell in row[:3]:
            assert cell.lstrip()[:1] not in tuple("=+-@\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH COMMERCIAL AT}")


def test_names_in_sentences_make_no_link(result: EvaluationResult) -> None:
    noted = replace(result, notes=("3 judgments name '[x](javascript:alert(1))'.",))
    assert "](" not in report_files(noted)["report.md"].replace("](means.svg)", "").replace("](differences.svg)", "")


def test_a_folder_that_cannot_be_written_is_named(result: EvaluationResult, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(SettingsError, match=r"cannot be written .* --out"):
        write_report(result, tmp_path / "file" / "report")


def test_a_run_of_the_baseline_alone_has_a_report(tmp_path: Path) -> None:
    result = evaluated(topics(), settings_in(tmp_path), FakeEmbedder(), "naive")
    assert main_system(result) is None
    assert set(report_files(result)) == {"report.md", "report.csv", "report.json", "means.svg"}
