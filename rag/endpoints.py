"""What OpenAI-compatible endpoints have in common: the client, what goes wrong, and when to ask again."""

from __future__ import annotations

import logging
import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote

from rag.redaction import shown_reason, shown_url, userinfo

CONNECT_SECONDS = 5.0
"""Longest wait for a connection."""
LONGEST_PAUSE = 2.0
"""An endpoint that asks for a longer pause than this, in seconds, is not asked again."""
_PAUSE = 0.25
_PASSING = (408, 409, 429)


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong with a request.

    Attributes:
        kind: `unreachable` (no connection), `timeout` (no word in time), `cut` (the connection ended), `status` (an
            HTTP status of 400 or more), `error` (an error in place of an answer) or `garbage` (no such answer).
        text: Continues the sentence "The endpoint ...", without a full stop.
        status: The HTTP status, or 0.
    """

    kind: Literal["unreachable", "timeout", "cut", "status", "error", "garbage"]
    text: str
    status: int = 0


def open_client(url: str, key: str, seconds: float) -> Any:
    """Open an `openai.OpenAI` that never asks twice by itself.

    Args:
        url: Up to and with `/v1`. User and password in it are sent as a header in the place of the key, and its query
            with every request.
        key: Empty when the endpoint asks for none.
        seconds: Longest wait for a connection, and for each piece of the answer.
    """
    from openai import OpenAI, Timeout

    for transport in ("httpx", "httpx2"):
        if _shown_addresses not in logging.getLogger(transport).filters:
            logging.getLogger(transport).addFilter(_shown_addresses)
    login = userinfo(url)
    basic = b64encode(unquote(login).encode()).decode()
    return OpenAI(
        base_url=shown_url(url),
        api_key=key or "none",
        default_headers={"Authorization": f"Basic {basic}"} if login else None,
        default_query=dict(parse_qsl(url.partition("?")[2])),
        timeout=Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)),
        max_retries=0,
    )


def _shown_addresses(record: logging.LogRecord) -> bool:
    """Take passwords and queries out of the addresses in a record of an HTTP client."""
    if isinstance(record.args, tuple):
        record.args = tuple(shown_url(str(arg)) if "://" in str(arg) else arg for arg in record.args)
    return True


def problem_of(exc: Exception, secrets: Sequence[str] = (), private: Sequence[str] = ()) -> Problem:
    """Return what went wrong, from an exception of the `openai` client.

    Args:
        exc: An `openai.OpenAIError`, or a `ValueError` for an answer that could not be parsed.
        secrets: As for `shown_reason`.
        private: As for `shown_reason`.
    """
    import openai

    if isinstance(exc, openai.APIStatusError):
        return _status_problem(exc, secrets, private)
    if isinstance(exc, openai.APIConnectionError):
        return _connection_problem(exc)
    if isinstance(exc, openai.APIError) and not isinstance(exc, openai.APIResponseValidationError):
        reason = shown_reason(_message(exc.body), secrets, private)
        return Problem("error", f"stopped with an error: {reason or 'it did not say which'}")
    if isinstance(exc, ValueError):
        return Problem("garbage", "sent something that is not JSON")
    return Problem("garbage", f"sent something that is not an OpenAI-compatible answer ({type(exc).__name__})")


def pause_before_retry(exc: Exception) -> float | None:
    """Return for how many seconds to wait before the request is sent once more; None when it would not help.

    It may help when no connection came about, or the endpoint was busy, unless that asks for a long pause. A request
    that timed out is not sent again: the wait would double.
    """
    import openai

    if isinstance(exc, openai.APIStatusError):
        if exc.status_code < 500 and exc.status_code not in _PASSING:
            return None
        asked = _asked_pause(exc.response.headers)
        return asked if asked is None or asked <= LONGEST_PAUSE else None
    is_refusal = isinstance(exc, openai.APIConnectionError) and not isinstance(exc, openai.APITimeoutError)
    return _PAUSE if is_refusal and not _cause(exc, (ssl.SSLError, socket.gaierror)) else None


def _asked_pause(headers: Mapping[str, str]) -> float:
    """Seconds that the endpoint asks to wait, by number or date; a moment when it asks for nothing."""
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return max(float(milliseconds) / 1000, 0.0)
        after = headers.get("retry-after", "").strip()
        if not after:
            return _PAUSE
        if after.replace(".", "", 1).isdigit():
            return float(after)
        return max((parsedate_to_datetime(after) - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return _PAUSE


def _status_problem(exc: Any, secrets: Sequence[str], private: Sequence[str]) -> Problem:
    status = int(exc.status_code)
    pause = _asked_pause(exc.response.headers)
    if status in (429, 503) and pause > LONGEST_PAUSE:
        return Problem("status", f"is busy and asks to wait {pause:,.0f} s (status {status})", status)
    if status == 429:
        return Problem("status", "has too many requests (status 429)", status)
    reason = shown_reason(_message(exc.body), secrets, private) if _is_json(exc.response.headers) else ""
    return Problem("status", f"answered with status {status}" + (f": {reason}" if reason else ""), status)


def _is_json(headers: Mapping[str, str]) -> bool:
    return "json" in headers.get("content-type", "").lower()


def _message(body: object) -> str:
    """The sentence in an error's JSON; empty when there is none."""
    for key in ("error", "message", "detail"):
        if isinstance(body, dict) and body.get(key):
            return _message(body[key])
    return body if isinstance(body, str) else ""


def _connection_problem(exc: Any) -> Problem:
    import openai

    names = {type(cause).__name__ for cause in _causes(exc)}
    if "ConnectTimeout" in names:
        return Problem("unreachable", "cannot be reached: it did not accept a connection in time")
    if isinstance(exc, openai.APITimeoutError):
        return Problem("timeout", "did not answer in time")
    if _cause(exc, (socket.gaierror,)):
        return Problem("unreachable", "cannot be reached: its host name is not known")
    if isinstance(failure := _cause(exc, (ssl.SSLError,)), ssl.SSLError):
        reason = getattr(failure, "verify_message", "") or str(failure.reason or "no handshake")
        return Problem("unreachable", f"cannot be reached: TLS failed ({reason.replace('_', ' ').lower()})")
    if names & {"ReadError", "RemoteProtocolError", "WriteError", "ConnectionResetError"}:
        return Problem("cut", "closed the connection before it had answered")
    if _cause(exc, (ConnectionRefusedError,)):
        return Problem("unreachable", "cannot be reached: it refused the connection")
    return Problem("unreachable", "cannot be reached: no connection came about")


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        exc = exc.__cause__ or exc.__context__


def _cause(exc: BaseException, kinds: tuple[type[BaseException], ...]) -> BaseException | None:
    return next((cause for cause in _causes(exc) if isinstance(cause, kinds)), None)
