"""Answers by any OpenAI-compatible chat endpoint: OpenAI, vLLM, llama.cpp, Ollama, ..."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

from rag.answering.answerers.spec import AnswererEntry
from rag.answering.chat_endpoint import EXPECTED, ChatEndpoint, ChatRequest
from rag.answering.followups import standalone
from rag.answering.prompts import answer_messages, condense_messages
from rag.errors import AnswererError
from rag.pacing import Limits
from rag.settings import Settings
from rag.tasks.spec import TaskSpec
from rag.text import is_blank
from rag.types import REFUSAL, AnswerDelta, Hit, Turn

_CHARS_PER_TOKEN = 3
_CONTEXT_TOKENS = 4000
_CONDENSE_TOKENS = 96
_CONDENSE_SHARE = 0.5
"""Rewriting a follow-up may take this share of RAG_LLM_TIMEOUT, `_CONDENSE_SETTING`."""
_CONDENSE_SETTING = "half of RAG_LLM_TIMEOUT"
_LONGEST_QUESTION = 1000
_LONGEST_TOKEN = 64
"""Characters in a token at most; an endpoint that sends more than this for every token asked for is cut off."""
_WITHHELD = {
    "content_filter": "withheld the answer by its content filter (finish_reason content_filter): ask in other words",
    "length": "used up its longest answer before any text came (finish_reason length): raise RAG_LLM_MAX_TOKENS",
    "tool_calls": "asked for a tool in place of an answer (finish_reason tool_calls), and is offered none",
    "function_call": "asked for a tool in place of an answer (finish_reason function_call), and is offered none",
}


class OpenAICompatibleAnswerer:
    """Streams from `/v1/chat/completions`.

    The `openai` client reports success on a page of HTML, an empty body and a cut stream; here each is an error.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._endpoint = ChatEndpoint(settings)

    @property
    def name(self) -> str:
        """Model and endpoint."""
        return f"{self._settings.llm_model} at {self._endpoint.shown}"

    def stream(
        self, question: str, hits: Sequence[Hit], history: Sequence[Turn], task: TaskSpec
    ) -> Iterator[AnswerDelta]:
        """Pieces of the answer as the endpoint sends them; the last one has the finish reason.

        The words of a refusal are pieces as well; the finish reason is `refusal` then.

        Raises:
            AnswererError: Naming the cause and the setting to look at.
        """
        prompt = answer_messages(question, hits, history, task.wording, _CONTEXT_TOKENS * _CHARS_PER_TOKEN)
        limits = Limits(self._settings.llm_timeout, self._settings.llm_total_timeout)
        return self._whole(ChatRequest(prompt, self._settings.llm_max_tokens, limits))

    def condense(self, question: str, history: Sequence[Turn]) -> str:
        """Rewrite the question so that it can be read without the history.

        Raises:
            AnswererError: As `stream`.
        """
        if not history:
            return question
        seconds = self._settings.llm_timeout * _CONDENSE_SHARE
        prompt, limits = condense_messages(question, history), Limits(seconds, seconds)
        request = ChatRequest(prompt, _CONDENSE_TOKENS, limits, _CONDENSE_SETTING)
        text = ""
        for delta in self._whole(request):
            text += delta.text
            if delta.finish_reason not in ("", "stop"):
                return standalone(question, history)
        return text.strip().splitlines()[0][:_LONGEST_QUESTION]

    def _whole(self, request: ChatRequest) -> Iterator[AnswerDelta]:
        """Check the pieces: white space alone is no answer, and one without a finish reason is not whole."""
        finish, held, size = "", "", 0
        with closing(self._endpoint.stream(request)) as deltas:
            for delta in deltas:
                finish = finish if finish == REFUSAL else delta.finish_reason or finish
                held, size = held + delta.text, size + len(delta.text)
                if size > _LONGEST_TOKEN * request.max_tokens:
                    finish = "length"
                    break
                if held and (size > len(held) or not is_blank(held)):
                    yield AnswerDelta(held)
                    held = ""
        if is_blank(held) and size == len(held):  # nothing was worth passing on
            raise self._silent(finish)
        if not finish:
            raise AnswererError(
                f"The LLM endpoint {self._endpoint.shown} broke off in mid-answer: no finish_reason came. Ask again, "
                "or check its log."
            )
        yield AnswerDelta(held, finish)

    def _silent(self, finish: str) -> AnswererError:
        where = self._endpoint.shown
        if finish in _WITHHELD:
            return AnswererError(f"The LLM endpoint {where} {_WITHHELD[finish]}.")
        ending = f" (finish_reason {finish})" if finish else ""
        return AnswererError(f"The LLM endpoint {where} answered without any text{ending}. {EXPECTED}")


ANSWERER = AnswererEntry(
    name="openai-compatible",
    is_default=lambda settings: bool(settings.llm_model),
    make=lambda settings, _embed: OpenAICompatibleAnswerer(settings),
)
