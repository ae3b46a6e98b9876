"""The page on speed has figures from measurements only."""

from dataclasses import asdict

from bench.harness import Case, Sample, Target, judge
from bench.report import DOCS, MISSING, page

TEMPLATE = (DOCS / "performance.in.md").read_text(encoding="utf-8")
MACHINE = {"cores": 2, "python": "3.11", "system": "Linux", "load": [0.5, 0.5, 0.5]}


def measured(**values):
    return {"at": "2026-11-23T10:00:00Z", "machine": MACHINE, **values}


def row(text, what):
    return next(line for line in text.split("\n") if line.startswith(f"| {what} "))


def test_without_measurements_every_line_says_so():
    text = page(TEMPLATE, {})
    assert "{{" not in text
    assert text.count(MISSING) >= 14
    assert "x |" not in text


def test_a_line_holds_only_with_all_that_was_promised():
    times = {"ours": [Sample(1.0, 1.0, 0.1)] * 7, "theirs": [Sample(10.0, 10.0, 0.1)] * 7}
    subject, baseline = (Case(name, lambda: None) for name in times)
    for similarity, holds in ((0.99, "yes"), (0.9, "**no**")):
        notes = {"similarity": {"a.pdf": similarity}}
        result = asdict(judge(subject, baseline, Target("PDF", 8.0), times, notes))
        line = row(page(TEMPLATE, {"pdf": measured(results=[result])}), "PDF text")
        assert "10.00x | 10.00-10.00 of 7 | ≥ 8x" in line
        assert f"| {holds} |" in line


def test_a_million_is_not_claimed_from_a_smaller_collection():
    times = {"hybrid": [Sample(1.0, 1.0, 0.1)] * 7, "scan": [Sample(30.0, 30.0, 0.1)] * 7}
    subject, baseline = (Case(name, lambda: None) for name in times)
    notes = {"size": 1000, "recall": 1.0, "memory": {"resident": 90}, "open_s": 0.1, "write_s": 1.0, "build_s": 0.0}
    result = asdict(judge(subject, baseline, Target("p95", 20.0), times, notes))
    text = page(TEMPLATE, {"scale": measured(results=[result])})
    assert MISSING in row(text, "hybrid search at 1,000,000 chunks, p95")
    assert "30.0x" in row(text, "1,000")
