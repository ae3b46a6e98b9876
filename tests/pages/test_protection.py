import asyncio

import pytest

from pages.parts.protection import HEADERS, POLICY, Protection


async def page(scope, receive, send):
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"X-Frame-Options", b"ALLOWALL")]})
    await send({"type": "http.response.body", "body": b"hello"})


def answer(path="/", kind="http", origins=(), **headers):
    """The messages that a request gets."""
    sent = []

    async def send(message):
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in {"host": "localhost:8501", **headers}.items()]
    asyncio.run(Protection(page, origins)({"type": kind, "path": path, "headers": raw}, None, send))
    return sent


@pytest.mark.parametrize("path", ["/", "/documents", "/static/js/x.js", "/_stcore/health", "/media/1.png", "/nowhere"])
def test_every_response_tells_the_browser_to_stay_here(path):
    headers = answer(path)[0]["headers"]
    by_name = {name.decode(): value.decode() for name, value in headers}
    assert by_name.items() >= HEADERS.items()
    assert len(by_name) == len(headers)
    assert "frame-ancestors 'none'" in by_name["content-security-policy"]


def test_the_policy_names_no_other_host_and_runs_no_text():
    assert "://" not in POLICY
    assert "*" not in POLICY
    assert "unsafe-eval" not in POLICY
    script = next(part for part in POLICY.split("; ") if part.startswith("script-src"))
    assert "unsafe-inline" not in script


def test_a_file_that_is_opened_by_itself_runs_and_loads_nothing():
    policy = dict(answer("/media/drawing.svg")[0]["headers"])[b"content-security-policy"].decode()
    assert "sandbox" in policy
    assert "script-src" not in policy


@pytest.mark.parametrize(
    "origin",
    ["http://localhost:9999", "https://evil.example", "null", "http://localhost", "http://localhost:8501.evil.example"],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_page_of_another_site_or_port_is_refused(origin, kind):
    sent = answer("/_stcore/stream", kind, origin=origin)
    if kind == "http":
        assert sent[0]["status"] == 403
    else:
        assert [message["type"] for message in sent] == ["websocket.close"]


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_the_own_page_a_program_and_a_trusted_site_are_let_in(kind):
    accepted = {"http": "http.response.start", "websocket": "websocket.accept"}[kind]
    trusted = {"origins": ["https://rag.example.org/"], "origin": "https://rag.example.org"}
    for headers in ({}, {"origin": "http://localhost:8501"}, trusted):
        message = answer("/_stcore/stream", kind, **headers)[0]
        assert message["type"] == accepted
        assert message.get("status", 200) == 200


@pytest.mark.parametrize("name", ["metrics", "agent/openapi.json", "agent/mcp", "script-health-check", "metrics/"])
@pytest.mark.parametrize("base", ["", "/base"])
def test_addresses_that_no_page_needs_are_closed(name, base):
    assert answer(f"{base}/_stcore/{name}")[0]["status"] == 404


@pytest.mark.parametrize("name", ["health", "host-config", "upload_file/session/file"])
def test_addresses_that_a_page_needs_are_open(name):
    assert answer(f"/_stcore/{name}")[0]["status"] == 200
