"""One reply of an OpenAI-compatible chat endpoint, read within limits and with every fault named."""

from __future__ import annotations

import socket
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rag.endpoints import (
    CONNECT_SECONDS,
    Problem,
    open_client,
    pause_before_retry,
    problem_of,
)
from rag.errors import AnswererAwayError, AnswererError
from rag.pacing import GapError, Limits, TotalError, paced
from rag.redaction import shown_reason, shown_url, url_secrets
from rag.settings import Settings
from rag.text import well_formed
from rag.types import REFUSAL, AnswerDelta

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

EXPECTED = (
    "Expected an OpenAI-compatible /chat/completions stream: check RAG_LLM_BASE_URL (it usually ends in /v1) and "
    "RAG_LLM_MODEL."
)
"""What to do about a reply that is no such stream."""
_GRACE_SECONDS = 5.0
"""How much earlier the socket's own timeout comes than that of a piece: it knows what was waited for."""
_FINISH_CHARS = 40
_ADVICE = {
    400: "Check RAG_LLM_MODEL, and that its context is long enough for RAG_TOP_K sources.",
    401: "It refused the key: check OPENAI_API_KEY.",
    403: "It refused the key: check OPENAI_API_KEY and what it may use.",
    404: "It knows no such model or no /chat/completions: check RAG_LLM_MODEL and RAG_LLM_BASE_URL.",
}
_ADVICE_BY_KIND = {
    "unreachable": "Start it, or correct RAG_LLM_BASE_URL.",
    "cut": "Ask again, or check its log.",
    "status": "Ask again later, or check its log.",
    "error": "Ask again, or check its log.",
    "garbage": EXPECTED,
}


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What is sent, and how long the reply may take; `setting` names what decides on the gap."""

    prompt: list[BaseMessage]
    max_tokens: int
    limits: Limits
    setting: str = "RAG_LLM_TIMEOUT"


class ChatEndpoint:
    """A model behind `/v1/chat/completions`. Safe to call from many threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._url = settings.llm_base_url or "https://api.openai.com/v1"
        self.shown = shown_url(self._url)

    def stream(self, request: ChatRequest) -> Generator[AnswerDelta]:
        """Yield the pieces of the reply as they come; text may be empty, and the reply may end without a reason.

        Raises:
            AnswererAwayError: No connection, or nothing came in time.
            AnswererError: Any other fault, by its cause.
        """
        streams: list[Any] = []
        limits, _ = request.limits, self._client.chat.completions  # loaded before the clock runs
        backstop = Limits(limits.gap + min(limits.gap, _GRACE_SECONDS), limits.total)
        try:
            yield from paced(lambda: self._deltas(request, streams), backstop, lambda: _hang_up(streams))
        except GapError:
            raise self._slow(request) from None
        except TotalError:
            if limits.total <= limits.gap:
                raise self._slow(request) from None
            raise AnswererError(
                f"The LLM endpoint {self.shown} was not done after {limits.total:g} s (RAG_LLM_TOTAL_TIMEOUT)."
            ) from None

    def _deltas(self, request: ChatRequest, streams: list[Any]) -> Iterator[AnswerDelta]:
        import openai

        events = 0
        try:
            streams.append((yield from self._opened(request)))
            for event in streams[0]:
                events += 1
                yield self._delta(event, request)
            kind = streams[0].response.headers.get("content-type", "").partition(";")[0]
        except (openai.OpenAIError, ValueError) as exc:
            raise self._error(exc, request) from None  # the cause holds what the endpoint sent, as it came
        finally:
            for stream in streams:
                stream.close()
            streams.clear()
        if not events and kind not in ("", "text/event-stream"):
            raise AnswererError(
                f"The LLM endpoint {self.shown} sent {shown_reason(kind)} in place of a stream of text. {EXPECTED}"
            )

    def _opened(self, request: ChatRequest) -> Generator[AnswerDelta, None, Any]:
        """Send the request, once more when that may help; empty pieces are signs of life meanwhile."""
        import openai

        try:
            return self._send(request)
        except openai.OpenAIError as exc:
            pause = pause_before_retry(exc)
            if pause is None or pause > request.limits.gap:
                raise
        yield AnswerDelta("")
        time.sleep(pause)
        yield AnswerDelta("")
        return self._send(request)

    def _send(self, request: ChatRequest) -> Any:
        from langchain_core.messages import convert_to_openai_messages
        from openai import Timeout

        gap = request.limits.gap
        return self._client.chat.completions.create(
            model=self._settings.llm_model,
            messages=convert_to_openai_messages(request.prompt),
            max_completion_tokens=request.max_tokens,
            temperature=self._settings.llm_temperature,
            timeout=Timeout(gap, connect=min(gap, CONNECT_SECONDS)),
            stream=True,
        )

    @cached_property
    def _client(self) -> Any:
        key = self._settings.openai_api_key.get_secret_value()
        return open_client(self._url, key, self._settings.llm_timeout)

    def _delta(self, event: Any, request: ChatRequest) -> AnswerDelta:
        """One event of the stream, whatever is in it; an error in its place is raised."""
        if getattr(event, "object", "") == "error":  # vLLM's way to say so
            reason = shown_reason(str(getattr(event, "message", "")), *self._sent(request))
            raise self._failed(Problem("error", f"stopped with an error: {reason}"))
        choices = getattr(event, "choices", None)
        choice = choices[0] if isinstance(choices, list) and choices else None
        delta, finish = getattr(choice, "delta", None), getattr(choice, "finish_reason", None)
        text, refusal = getattr(delta, "content", None), getattr(delta, "refusal", None)
        if isinstance(refusal, str) and refusal:
            return AnswerDelta(_storable(refusal), REFUSAL)
        reason = shown_reason(str(finish))[:_FINISH_CHARS] if finish else ""
        return AnswerDelta(_storable(text) if isinstance(text, str) else "", reason)

    def _error(self, exc: Exception, request: ChatRequest) -> AnswererError:
        problem = problem_of(exc, *self._sent(request))
        return self._slow(request) if problem.kind == "timeout" else self._failed(problem)

    def _failed(self, problem: Problem) -> AnswererError:
        advice = _ADVICE.get(problem.status, _ADVICE_BY_KIND.get(problem.kind, EXPECTED))
        kind = AnswererAwayError if problem.kind == "unreachable" else AnswererError
        return kind(f"The LLM endpoint {self.shown} {problem.text}. {advice}")

    def _slow(self, request: ChatRequest) -> AnswererAwayError:
        return AnswererAwayError(
            f"The LLM endpoint {self.shown} sent nothing for {request.limits.gap:g} s ({request.setting})."
        )

    def _sent(self, request: ChatRequest) -> tuple[list[str], list[str]]:
        """What no message may repeat: secrets and the prompt."""
        secrets = [self._settings.openai_api_key.get_secret_value(), *url_secrets(self._url)]
        return secrets, [str(message.content) for message in request.prompt]


def _storable(text: str) -> str:
    """A text that every stream can encode and every database keep."""
    return well_formed(text).replace("\0", "")


def _hang_up(streams: Sequence[Any]) -> None:
    """End the connections of streams that a thread may be waiting for: closing them would not wake it."""
    for stream in list(streams):
        network = stream.response.extensions.get("network_stream")
        connection = network.get_extra_info("socket") if network is not None else None
        if connection is not None:
            with suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
