"""Any OpenAI-compatible `/v1/embeddings` endpoint."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from pydantic import SecretStr

from rag.endpoints import Problem, open_client, pause_before_retry, problem_of
from rag.errors import EmbeddingError
from rag.pacing import Limits, paced
from rag.redaction import shown_url, url_secrets
from rag.types import Matrix

BATCH = 64
"""Texts in one request."""
_TRANSFER_SECONDS = 5.0
"""An answer that has begun in time may take this much longer."""
_DEFAULT_MAX_TOKENS = 512
_SPECIAL_TOKENS = 2
_ESTIMATE = re.compile(r"[A-Za-z]{1,3}|\d|\n|\S", re.ASCII)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an endpoint is waited for.

    Attributes:
        seconds: For the answer to one request.
        retries: Attempts after the first, when no connection came about or the endpoint is busy for a moment.
    """

    seconds: float = 60.0
    retries: int = 2


class EndpointEmbedder:
    """Embeddings of exact texts over HTTP. Safe to call from many threads.

    The endpoint's tokenizer is not known here, so tokens are estimated, too many rather than too few: three letters, or
    one digit, line break or other character each. Chunks are therefore a little shorter than the model allows.

    Args:
        base_url: Up to and with `/v1`.
        model: Model name that the endpoint knows.
        key: Its key; it never occurs in a message.
        dimension: Length of a vector; 0 means that of the vectors the endpoint sends.
        max_tokens: Longest text in tokens; 0 means 512.
        patience: How long to wait, and how often to ask again.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        key: SecretStr,
        dimension: int = 0,
        max_tokens: int = 0,
        patience: Patience = Patience(),
    ) -> None:
        self._base_url = base_url
        self._where = shown_url(base_url)
        self._model = model
        self._key = key
        self._dimension = dimension
        self._max_tokens = max_tokens or _DEFAULT_MAX_TOKENS
        self._patience = patience

    @property
    def dimension(self) -> int:
        """Length of a vector; asks the endpoint once when the model is not registered."""
        if not self._dimension:
            self._dimension = self._request(["dimension"]).shape[1]
        return self._dimension

    @property
    def max_tokens(self) -> int:
        """Longest text in estimated tokens."""
        return self._max_tokens

    @property
    def precision(self) -> str:
        """The endpoint decides; a canary in the index notices when it changes."""
        return "endpoint"

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Embed texts exactly as given, cut to the limit; rows have length one.

        Raises:
            EmbeddingError: The endpoint cannot be reached, refuses, or answers something else than vectors.
        """
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        cut = [self._cut(text) for text in texts]
        parts = [self._request(cut[i : i + BATCH]) for i in range(0, len(cut), BATCH)]
        vectors: Matrix = np.concatenate(parts)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Return the character spans of estimated tokens."""
        return [match.span() for match in _ESTIMATE.finditer(text)]

    @cached_property
    def _client(self) -> Any:
        return open_client(self._base_url, self._key.get_secret_value(), self._patience.seconds)

    def _cut(self, text: str) -> str:
        spans = self.token_offsets(text)
        limit = self._max_tokens - _SPECIAL_TOKENS
        return text if len(spans) <= limit else text[: spans[limit - 1][1]]

    def _request(self, texts: list[str]) -> Matrix:
        import openai

        for attempts_left in reversed(range(self._patience.retries + 1)):
            try:
                return self._vectors(self._answer(texts), len(texts))
            except TimeoutError:
                raise self._slow() from None
            except (openai.OpenAIError, ValueError) as exc:
                pause = pause_before_retry(exc) if attempts_left else None
                if pause is None:
                    raise self._mapped(exc, texts) from None  # the cause holds what the endpoint sent, as it came
            time.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _answer(self, texts: list[str]) -> object:
        """One request, in a thread of its own: a byte a minute would keep it from ending."""

        def ask() -> Iterator[object]:
            # The client asks for base64 by default, which not every server speaks.
            yield self._client.embeddings.create(model=self._model, input=texts, encoding_format="float")

        _ = self._client.embeddings  # loaded before the clock runs
        seconds = self._patience.seconds + min(self._patience.seconds, _TRANSFER_SECONDS)
        return next(paced(ask, Limits(seconds, seconds), lambda: None))

    def _vectors(self, answer: object, expected: int) -> Matrix:
        data = getattr(answer, "data", None)
        if not isinstance(data, list):
            raise self._error("sent something else than embeddings, such as a web page", _WRONG_PATH)
        if len(data) != expected:
            raise self._error(f"sent {len(data)} vectors, expected {expected}", _WRONG_PATH)
        rows = [getattr(row, "embedding", None) for row in self._ordered(data)]
        lengths = {len(row) if isinstance(row, list) else 0 for row in rows}
        expected_length = self._dimension or max(lengths)
        if lengths != {expected_length} or not expected_length:
            raise self._error(
                f"sent vectors of length {sorted(lengths)}, expected {expected_length or 'at least 1'}",
                f"Check that RAG_MODEL ({self._model}) names the model that it serves.",
            )
        return self._numbers(rows)

    def _ordered(self, data: list[Any]) -> list[Any]:
        """The rows in the order of the texts; a server that gives them no numbers keeps it."""
        numbers = [getattr(row, "index", None) for row in data]
        if all(number is None or number == 0 for number in numbers):
            return data
        by_number = {number: row for number, row in zip(numbers, data, strict=True) if isinstance(number, int)}
        if by_number.keys() != set(range(len(data))):
            raise self._error("numbered its vectors in a way that fits no texts", "Check the model that it serves.")
        return [by_number[number] for number in range(len(data))]

    def _numbers(self, rows: list[Any]) -> Matrix:
        try:
            with np.errstate(over="ignore"):
                vectors = np.array(rows, dtype=np.float32)
        except (TypeError, ValueError):
            vectors = np.zeros((1, 1), dtype=np.float32)
        if vectors.ndim != 2 or not np.isfinite(vectors).all() or not np.linalg.norm(vectors, axis=-1).all():
            raise self._error("sent vectors that are not numbers, or all zero", "Check the model that it serves.")
        return vectors

    def _mapped(self, exc: Exception, texts: list[str]) -> EmbeddingError:
        secrets = [self._key.get_secret_value(), *url_secrets(self._base_url)]
        problem = problem_of(exc, secrets, texts)
        return self._slow() if problem.kind == "timeout" else self._error(problem.text, _advice(problem))

    def _slow(self) -> EmbeddingError:
        return self._error(
            f"did not answer within {self._patience.seconds:g} s (RAG_EMBEDDINGS_TIMEOUT)", "Check that it is running."
        )

    def _error(self, problem: str, advice: str) -> EmbeddingError:
        return EmbeddingError(f"The embeddings endpoint {self._where} {problem}. {advice}")


_WRONG_PATH = "Check RAG_EMBEDDINGS_BASE_URL: it should end in /v1."


def _advice(problem: Problem) -> str:
    if problem.kind == "unreachable":
        return "Check RAG_EMBEDDINGS_BASE_URL and that it is running."
    if problem.kind == "garbage":
        return _WRONG_PATH
    if problem.status in (401, 403):
        return "Check RAG_EMBEDDINGS_API_KEY."
    if problem.status == 404:
        return "Check RAG_EMBEDDINGS_BASE_URL (it should end in /v1) and RAG_MODEL."
    if problem.status == 429:
        return "Try again later."
    return "Check that RAG_MODEL is the model it serves, and its log."
