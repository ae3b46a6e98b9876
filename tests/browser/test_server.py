"""What the server allows a page to do, and pages of other servers to do with it, in a real browser."""

import threading
from http.server import ThreadingHTTPServer

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from tests.browser.serving import Listener
from tests.browser.session import Session
from tests.browser.test_app import GUIDE, upload

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

TRY_TO_LEAVE = """async address => {
  const violations = [];
  document.addEventListener("securitypolicyviolation", event => violations.push(event.effectiveDirective));
  document.body.insertAdjacentHTML("beforeend", `<img src="${address}/img"><iframe src="${address}/frame"></iframe>
    <video poster="${address}/poster"></video><object data="${address}/object"></object>
    <link rel="stylesheet" href="${address}/sheet"><link rel="prefetch" href="${address}/prefetch">
    <style>@import url(${address}/import); body { background: url(${address}/background) }</style>
    <form id="leave" action="${address}/form" target="_self"><input name="q"></form>`);
  const script = document.createElement("script");
  script.src = address + "/script";
  document.body.append(script);
  for (const leave of [() => fetch(address + "/fetch"), () => new WebSocket(address.replace("http", "ws") + "/socket"),
                       () => navigator.sendBeacon(address + "/beacon"), () => new Function("return 1")(),
                       () => document.getElementById("leave").submit()]) {
    try { await leave(); } catch { }
  }
  await new Promise(resolve => setTimeout(resolve, 1000));
  return violations;
}"""
TRY_TO_ENTER = """async address => {
  const socket = new WebSocket(address.replace("http", "ws") + "/_stcore/stream", ["streamlit"]);
  const opened = await new Promise(done => { socket.onopen = () => done(true); socket.onclose = () => done(false); });
  const answered = await fetch(address + "/_stcore/health").then(() => true, () => false);
  return [opened, answered];
}"""
CATCH_SOCKETS = """window.sockets = []; window.WebSocket = class extends WebSocket {
  constructor(...args) { super(...args); window.sockets.push(this); } };"""


@pytest.fixture
def elsewhere():
    Listener.requests = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_page_cannot_leave_even_when_markup_gets_into_it(app, open_page, elsewhere):
    page = open_page(app)
    violations = set(page.evaluate(TRY_TO_LEAVE, elsewhere))
    assert Listener.requests == []
    assert violations >= {"img-src", "frame-src", "style-src-elem", "script-src-elem", "connect-src", "form-action"}


def test_a_page_of_another_port_cannot_enter(app, browser, elsewhere):
    context = browser.new_context()
    page = context.new_page()
    page.goto(elsewhere)
    opened, answered = page.evaluate(TRY_TO_ENTER, app)
    context.close()
    assert not opened
    assert not answered


def test_emptied_caches_break_nobody(app, open_page):
    page = open_page(app)
    page.context.add_init_script(CATCH_SOCKETS)
    page.reload()
    page.visit("Documents")
    upload(page, ("clear.md", GUIDE))
    message = list(BackMsg(clear_cache=True).SerializeToString())
    page.evaluate("bytes => window.sockets.at(-1).send(new Uint8Array(bytes))", message)
    page.visit("Chat")
    page.ask("How long does the warranty last?")
    answer = page.get_by_test_id("stChatMessage").nth(1)
    answer.locator(".rag-cite").first.wait_for()
    answer.get_by_text("two years").first.wait_for()
    with Session(app) as other:
        other.run("How long does the warranty last?")
        assert other.errors == []
        assert any("two years" in text for text in other.texts)
    assert page.get_by_test_id("stAlert").count() == 0
