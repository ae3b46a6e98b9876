"""A scan of the code for known dangers, the exact versions, and how much of the store's code the tests run."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.trust.spec import Figure, Row

_ROOT = Path(__file__).resolve().parents[3]
_CODE = ("rag", "pages", "app.py", "bench")
_STORES = ("ingest", "index", "catalog")
_LEAST_COVERED = 95.0


def _measure(full: bool) -> Figure:
    high, medium = _bandit()
    components = _components()
    text = f"bandit: {high} high, {medium} medium; {components} components in the bill of materials"
    held = not high and components > 100
    if full:
        covered = _branch_coverage()
        text += f"; branch coverage of {', '.join(_STORES)} {covered:.1f}%"
        held = held and covered >= _LEAST_COVERED
    return Figure(text, held)


def _bandit() -> tuple[int, int]:
    """Return how many findings are of high and of medium severity."""
    command = [sys.executable, "-m", "bandit", "-q", "-r", "-f", "json", *_CODE]
    report = json.loads(subprocess.run(command, cwd=_ROOT, capture_output=True, check=False).stdout)
    levels = [finding["issue_severity"] for finding in report["results"]]
    return levels.count("HIGH"), levels.count("MEDIUM")


def _components() -> int:
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", "constraints.txt", "--of", "JSON"]
    bill = subprocess.run(command, cwd=_ROOT, capture_output=True, check=True).stdout
    return len(json.loads(bill)["components"])


def _branch_coverage() -> float:
    """Return the percentage of lines and branches of the stores that their tests run, slow ones included."""
    with tempfile.TemporaryDirectory() as folder:
        data, report = f"--data-file={folder}/coverage", f"{folder}/coverage.json"
        sources = ",".join(f"rag/{name}" for name in _STORES)
        tests = [f"tests/{name}" for name in _STORES]
        coverage = [sys.executable, "-m", "coverage"]
        selection = ["-q", "-n", "0", "-m", "not browser and not bench"]
        subprocess.run(
            [*coverage, "run", data, "--branch", f"--source={sources}", "-m", "pytest", *tests, *selection],
            cwd=_ROOT,
            capture_output=True,
            check=True,
        )
        subprocess.run([*coverage, "json", data, "-o", report], cwd=_ROOT, capture_output=True, check=True)
        return float(json.loads(Path(report).read_text(encoding="utf-8"))["totals"]["percent_covered"])


ROW = Row(
    name="supply",
    promise="What the app is built from is known and checked.",
    kept="Exact versions in `constraints.txt`, licences in `docs/licences.md`, a CycloneDX bill of materials by one "
    "command, checksums of the bundled weights, bandit and zizmor in CI.",
    tests=("tests/test_supply.py", "tests/embedding/test_weights.py"),
    target="bandit 0 high; branch coverage of `ingest`, `index`, `catalog` at least 95%",
    measure=_measure,
)
