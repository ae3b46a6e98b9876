"""Answers by any OpenAI-compatible chat endpoint: OpenAI, vLLM, llama.cpp, Ollama, ..."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rag.answering.answerers.spec import AnswererEntry
from rag.answering.prompts import answer_messages, condense_messages
from rag.errors import AnswererError
from rag.settings import Settings
from rag.tasks.spec import TaskSpec
from rag.types import AnswerDelta, Hit, Turn

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage
    from langchain_openai import ChatOpenAI

_CHARS_PER_TOKEN = 3
_CONTEXT_TOKENS = 4000
_CONDENSE_TOKENS = 96


class OpenAICompatibleAnswerer:
    """Streams from `/v1/chat/completions`.

    The `openai` client reports success on a page of HTML, an empty body and a cut stream; here each is an error.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._where = settings.llm_base_url or "https://api.openai.com/v1"
        self._chat: ChatOpenAI | None = None

    @property
    def name(self) -> str:
        """Model and endpoint."""
        return f"{self._settings.llm_model} at {self._where}"

    def stream(
        self, question: str, hits: Sequence[Hit], history: Sequence[Turn], task: TaskSpec
    ) -> Iterator[AnswerDelta]:
        """Pieces of the answer as the endpoint sends them; the last one has the finish reason.

        Raises:
            AnswererError: Naming the setting to look at.
        """
        prompt = answer_messages(question, hits, history, task.wording, _CONTEXT_TOKENS * _CHARS_PER_TOKEN)
        return self._stream(prompt, self._settings.llm_max_tokens)

    def condense(self, question: str, history: Sequence[Turn]) -> str:
        """Rewrite the question so that it can be read without the history."""
        if not history:
            return question
        deltas = self._stream(condense_messages(question, history), _CONDENSE_TOKENS)
        text = "".join(delta.text for delta in deltas).strip()
        return text.splitlines()[0] if text else question

    def _stream(self, prompt: list[BaseMessage], max_tokens: int) -> Iterator[AnswerDelta]:
        finish, is_empty = "", True
        with self._mapped_errors():
            for chunk in self._client().stream(prompt, max_tokens=max_tokens):
                finish = chunk.response_metadata.get("finish_reason") or finish
                if text := str(chunk.text):
                    is_empty = False
                    yield AnswerDelta(text)
        if is_empty:
            raise self._silent()
        if not finish:
            raise AnswererError(f"The LLM endpoint {self._where} broke off in mid-answer. Ask again, or check its log.")
        yield AnswerDelta("", finish)

    def _silent(self) -> AnswererError:
        return AnswererError(
            f"The LLM endpoint {self._where} answered without any text. Expected an OpenAI-compatible "
            "/chat/completions stream: check RAG_LLM_BASE_URL (it usually ends in /v1) and RAG_LLM_MODEL."
        )

    def _client(self) -> ChatOpenAI:
        if self._chat is None:
            from langchain_openai import ChatOpenAI
            from pydantic import SecretStr

            settings = self._settings
            self._chat = ChatOpenAI(
                model=settings.llm_model,
                base_url=settings.llm_base_url or None,
                api_key=settings.openai_api_key if settings.openai_api_key.get_secret_value() else SecretStr("none"),
                temperature=settings.llm_temperature,
                timeout=settings.llm_timeout,
                max_retries=1,
                stream_usage=False,
            )
        return self._chat

    @contextmanager
    def _mapped_errors(self) -> Generator[None]:
        import httpx
        import openai

        try:
            yield
        except openai.APITimeoutError as exc:
            raise AnswererError(
                f"The LLM endpoint {self._where} sent nothing for {self._settings.llm_timeout:g} s (RAG_LLM_TIMEOUT)."
            ) from exc
        except openai.APIConnectionError as exc:
            raise AnswererError(
                f"The LLM endpoint {self._where} cannot be reached: start it, or correct RAG_LLM_BASE_URL."
            ) from exc
        except openai.AuthenticationError as exc:
            raise AnswererError(f"The LLM endpoint {self._where} refused the key: check OPENAI_API_KEY.") from exc
        except openai.NotFoundError as exc:
            raise AnswererError(
                f"The LLM endpoint {self._where} knows no model {self._settings.llm_model!r} or no /chat/completions: "
                "check RAG_LLM_MODEL and RAG_LLM_BASE_URL."
            ) from exc
        except openai.RateLimitError as exc:
            raise AnswererError(f"The LLM endpoint {self._where} has too many requests: try again later.") from exc
        except openai.APIStatusError as exc:
            raise AnswererError(
                f"The LLM endpoint {self._where} answered with status {exc.status_code}: {str(exc.message)[:200]}"
            ) from exc
        except json.JSONDecodeError as exc:
            raise AnswererError(
                f"The LLM endpoint {self._where} sent something that is not JSON. Check its log."
            ) from exc
        except ValueError as exc:  # langchain's word for a stream without a single chunk
            raise self._silent() from exc
        except (openai.OpenAIError, httpx.HTTPError) as exc:
            raise AnswererError(
                f"The LLM endpoint {self._where} sent something that is not an OpenAI-compatible answer "
                f"({type(exc).__name__})."
            ) from exc


ANSWERER = AnswererEntry(
    name="openai-compatible",
    is_default=lambda settings: bool(settings.llm_model),
    make=lambda settings, _embed: OpenAICompatibleAnswerer(settings),
)
