import json
import re
import zipfile
from pathlib import Path

import pytest

from tests.browser.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def sampled(tmp_path_factory, models):
    """A server of its own; the first test fills it with the sample library."""
    with serving(tmp_path_factory.mktemp("evaluate") / "data", models) as address:
        yield address


def saved(page, name):
    with page.expect_download() as download:
        page.get_by_role("button", name=name).click()
    return Path(download.value.path())


def run(page):
    page.get_by_role("button", name="Run", exact=True).and_(page.locator(":enabled")).click()
    page.locator(".rag-verdict li").first.wait_for(timeout=360_000)


def test_from_the_sample_library_to_a_verdict_and_its_report(sampled, open_page):
    page = open_page(sampled)
    page.visit("Evaluate")
    page.get_by_text("has no documents to measure on").wait_for()
    page.get_by_role("button", name="Load the sample library").click()
    page.get_by_text("questions about").wait_for(timeout=240_000)
    page.get_by_text("judged questions of the sample library").wait_for()
    page.get_by_text("Judgments of the sample library: questions and documents were written together").wait_for()
    page.get_by_role("button", name="Run", exact=True).and_(page.locator(":enabled")).wait_for()
    run(page)
    page.get_by_text("Judgments of the sample library ·").wait_for()
    for title in ("Prompts alone", "Whole pipeline", "Question by question"):
        page.get_by_role("heading", name=title).wait_for()
    page.locator("details.rag-source summary").first.click()
    page.get_by_text("✓").first.wait_for()
    report = json.loads(saved(page, "report.json").read_text())
    assert (report["task"], report["origin"]) == ("qa", "sample")
    assert len(report["questions"]) > 200
    assert saved(page, "report.md").read_text().startswith("# Evaluation")
    assert saved(page, "report.csv").read_text().startswith("question_id,")
    names = zipfile.ZipFile(saved(page, "report.zip")).namelist()
    assert {"report.md", "report.csv", "report.json", "means.svg", "differences.svg"} == set(names)
    assert page.outside == []


def test_thumbs_in_the_chat_become_judgments(sampled, open_page):
    page = open_page(sampled)
    page.ask("What does the light ALM mean?")
    answer = page.get_by_test_id("stChatMessage").nth(1)
    answer.locator(".rag-cite").first.wait_for()
    answer.get_by_text("Judge sources").wait_for()
    up = answer.get_by_role("radio", name="Thumbs up").first
    up.click()
    answer.locator("[aria-label='Thumbs up'][aria-checked=true]").first.wait_for()
    page.visit("Evaluate")
    page.get_by_text("Thumbs from the chat (1)").click()
    page.get_by_text(re.compile("Judgments from use: 1 thumb")).wait_for()
    page.get_by_text("1 question about").wait_for()
    run(page)
    page.get_by_text("Thumbs from the chat · 1 question").wait_for()
    assert page.outside == []
