"""What the server lets in and what it tells the browser, around everything that Streamlit serves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any
from urllib.parse import urlsplit

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

_FRAME_SCRIPT = "'sha256-THxz9J9+wf7rhwR2YkXJoSZ13UCmYyC+3lNDv2+8ugA='"
"""The one script that Streamlit's page has in itself."""
POLICY = "; ".join(
    [
        "default-src 'none'",
        f"script-src 'self' {_FRAME_SCRIPT}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "manifest-src 'self'",
        "frame-src 'none'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
"""Everything comes from this server and goes to it, whatever a page should hold."""
MEDIA_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
"""For files of users: opened by themselves, they run and load nothing."""
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-dns-prefetch-control": "off",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
OPEN = ("health", "host-config", "stream", "upload_file")
"""What the browser needs of Streamlit's own addresses; metrics, the agent API and the like are closed."""
_CORE, _MEDIA = "/_stcore/", "/media/"
_POLICY_VIOLATION = 1008


class Protection:
    """ASGI middleware: refuses other sites and closed addresses, and adds headers to every response.

    Args:
        app: What is protected.
        origins: Other sites whose pages may use the server, for example `https://rag.example.org`.
    """

    def __init__(self, app: Application, origins: Sequence[str] = ()) -> None:
        self._app = app
        self._origins = {origin.rstrip("/").lower() for origin in origins}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request or connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
        elif not self._allowed(scope):
            await _refuse(
                scope, send, 403, "Pages of other sites cannot use this server. See server.corsAllowedOrigins."
            )
        elif _closed(scope["path"]):
            await _refuse(scope, send, 404, "There is nothing here.")
        else:
            await self._app(scope, receive, _with_headers(scope["path"], send))

    def _allowed(self, scope: Message) -> bool:
        """Return False for a page of another host or port; programs other than browsers send no origin."""
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        origin = headers.get(b"origin", "").lower()
        return not origin or urlsplit(origin).netloc == headers.get(b"host", "").lower() or origin in self._origins


def _closed(path: str) -> bool:
    _, core, rest = path.partition(_CORE)
    return bool(core) and rest.partition("/")[0] not in OPEN


def _with_headers(path: str, send: Send) -> Send:
    added = {**HEADERS, "content-security-policy": MEDIA_POLICY if path.startswith(_MEDIA) else POLICY}

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            others = [(name, value) for name, value in message["headers"] if name.decode().lower() not in added]
            message = {**message, "headers": others + [(n.encode(), v.encode()) for n, v in added.items()]}
        await send(message)

    return sending


async def _refuse(scope: Message, send: Send, status: int, words: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": ""})
        return
    send = _with_headers(scope["path"], send)
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{words}\n".encode()})
