import re

import pytest

from tests.browser.serving import Scripted, serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

GUIDE = b"# Warranty\n\nThe warranty lasts two years. It covers the motor.\n\n# Cleaning\n\nClean the filter monthly.\n"
HOSTILE = (
    "![x](https://evil.example/a.png) <img src=https://evil.example/b.png> [go](https://evil.example/c) "
    "<script>fetch('https://evil.example/d')</script> <style>@import url(https://evil.example/e.css)</style> "
    "https://evil.example/f www.evil.example"
)


def upload(page, *files):
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        [{"name": name, "mimeType": "application/octet-stream", "buffer": content} for name, content in files]
    )
    page.get_by_role("button", name=re.compile(r"Add \d+ file")).click()
    page.get_by_text("File by file").first.wait_for()


def cell(page, text):
    """A cell of the files' table, which is drawn only when it is in view."""
    page.get_by_test_id("stDataFrame").first.evaluate("table => table.scrollIntoView()")
    return page.locator("[role=gridcell]").filter(has_text=re.compile(f"^{re.escape(text)}$"))


@pytest.fixture
def few(tmp_path, models):
    """A server of few files: a table of many draws only the rows in view."""
    with serving(tmp_path / "data", models) as address:
        yield address


def test_from_an_empty_library_to_a_cited_answer(app, open_page):
    page = open_page(app)
    page.get_by_role("button", name="Load the sample library").click()
    page.get_by_test_id("stProgress").first.wait_for()
    page.get_by_test_id("stChatInputTextArea").wait_for(timeout=240_000)
    page.get_by_test_id("stProgress").first.wait_for(state="detached", timeout=240_000)
    page.ask("What does the light ALM mean?")
    assistant = page.get_by_test_id("stChatMessage").nth(1)
    assistant.locator(".rag-cite").first.wait_for()
    page.get_by_text("Judge sources").wait_for()
    assistant.locator("details.rag-source").first.locator("summary").click()
    assistant.locator(".rag-text mark").first.wait_for()
    assert "c=" in page.url
    page.reload()
    page.get_by_test_id("stChatMessage").nth(1).locator(".rag-cite").first.wait_for()
    page.get_by_test_id("stCheckbox").filter(has_text="Compare with naive").click()
    page.ask("How do I pair a Leaf?")
    both = page.get_by_test_id("stChatMessage").nth(3)
    both.get_by_text("Naive", exact=True).wait_for()
    both.locator(".rag-change").first.wait_for()
    assert page.outside == []


def test_a_page_can_be_the_first_thing_a_server_shows(tmp_path, models, open_page):
    with serving(tmp_path / "data", models) as address:
        page = open_page(address, "/documents")
        page.get_by_role("heading", name="Documents").wait_for()
        page.get_by_role("button", name="Load the sample library").wait_for()
        names = page.get_by_test_id("stSidebarNavLink").all_inner_texts()
        assert [name.split("\n")[-1] for name in names][:1] == ["Chat"]


def test_upload_replace_a_broken_file_and_delete(few, open_page):
    page = open_page(few)
    page.visit("Documents")
    page.get_by_role("radio", name="Similar documents").click()
    page.get_by_text("a document is a whole document").wait_for()
    upload(page, ("warranty.md", GUIDE), ("broken.pdf", b"%PDF-1.4 broken"))
    page.get_by_text("1 added, 1 failed").wait_for()
    page.get_by_text("1 file could not be read").wait_for()
    cell(page, "warranty.md").wait_for(state="attached")
    upload(page, ("warranty.md", GUIDE + b"\nThe battery is excluded.\n"))
    page.get_by_text("1 replaced").wait_for()
    table = page.get_by_test_id("stDataFrame").first
    row = int(cell(page, "warranty.md").evaluate("cell => cell.closest('tr').getAttribute('aria-rowindex')")) - 1
    table.click(position={"x": 16, "y": 35 * row + 17})
    page.get_by_role("button", name="Delete 1 file").click()
    page.get_by_test_id("stDialog").get_by_role("button", name="Delete").click()
    cell(page, "warranty.md").wait_for(state="detached")
    assert page.outside == []


def test_work_goes_on_when_the_page_is_left_and_can_be_stopped(app, open_page):
    page = open_page(app)
    page.visit("Documents")
    many = [
        (f"part{number:03}.md", (f"# Part {number}\n\n" + f"Words of part {number}. " * 400).encode())
        for number in range(60)
    ]
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        [{"name": name, "mimeType": "text/markdown", "buffer": content} for name, content in many]
    )
    page.get_by_role("button", name="Add 60 files").click()
    page.get_by_test_id("stProgress").first.wait_for()
    page.visit("Status")
    page.get_by_text("In force").wait_for()
    page.visit("Documents")
    page.get_by_role("button", name="Stop").last.click()
    page.get_by_text(re.compile("60 files.*stopped", re.DOTALL)).first.wait_for(timeout=120_000)


def test_nothing_from_outside_makes_the_browser_leave(llm_app, open_page):
    Scripted.pieces, Scripted.pause = (
        (*re.findall(r".{1,7}", f"{HOSTILE}\n\n**Bold** stays [1]. {HOSTILE}", re.DOTALL),),
        0.0,
    )
    page = open_page(llm_app)
    name = "![x](https:evil.example) <img src=x onerror=alert(1)> :material:delete:.md"
    page.visit("Documents")
    upload(page, (name, f"# {HOSTILE}\n\nThe warranty {HOSTILE} lasts two years.".encode()), (f"b{name}.pdf", b"%PDF"))
    page.visit("Chat")
    page.ask(f"How long does the warranty last? {HOSTILE}")
    answer = page.get_by_test_id("stChatMessage").nth(1)
    answer.locator(".rag-cite").first.wait_for()
    page.get_by_text("Judge sources").wait_for()
    answer.locator("details.rag-source").first.locator("summary").click()
    answer.get_by_text("lasts two years").first.wait_for()
    for title in ("Chat", "Documents", "Status", "Chat"):
        page.visit(title)
        page.wait_for_timeout(700)
        foreign = page.evaluate(
            "() => [...document.querySelectorAll('[src], [href]')].map(e => e.src || e.href)"
            ".filter(u => /evil/.test(u))"
        )
        assert foreign == []
    page.locator(".rag-answer strong").first.wait_for()
    assert page.locator(".rag-answer strong").count() == 1
    assert page.locator(".rag-answer a, .rag-answer img").count() == 0
    assert page.outside == []


def test_a_stopped_answer_is_kept(llm_app, open_page):
    Scripted.pieces, Scripted.pause = ("The warranty ", "lasts ", *(f"word{number} " for number in range(400))), 0.1
    page = open_page(llm_app)
    page.visit("Documents")
    upload(page, ("warranty.md", GUIDE))
    page.visit("Chat")
    page.ask("How long does the warranty last?")
    page.get_by_text("word5 ").first.wait_for()
    page.get_by_test_id("stChatInput").get_by_role("button").last.click()
    page.get_by_test_id("stChatInputSubmitButton").wait_for()
    page.wait_for_timeout(1500)
    page.reload()
    stopped = page.get_by_test_id("stChatMessage").nth(1)
    stopped.get_by_text("word5").wait_for()
    stopped.get_by_text("Stopped before its end.").wait_for()
    assert page.get_by_text("word399").count() == 0
