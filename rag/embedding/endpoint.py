"""Any OpenAI-compatible `/v1/embeddings` endpoint."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from pydantic import SecretStr

from rag.errors import EmbeddingError
from rag.types import Matrix

BATCH = 64
"""Texts in one request."""
_CONNECT_SECONDS = 5.0
_READ_SECONDS = 60.0
_RETRIES = 3
_DEFAULT_MAX_TOKENS = 512
_SPECIAL_TOKENS = 2
_ESTIMATE = re.compile(r"[A-Za-z]{1,3}|\d|\n|\S", re.ASCII)


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
        retries: Attempts after the first, on refused connections, timeouts, 429 and 5xx.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        key: SecretStr,
        dimension: int = 0,
        max_tokens: int = 0,
        retries: int = _RETRIES,
    ) -> None:
        self._base_url = base_url
        self._model = model
        self._key = key
        self._dimension = dimension
        self._max_tokens = max_tokens or _DEFAULT_MAX_TOKENS
        self._retries = retries

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
        from openai import OpenAI, Timeout

        return OpenAI(
            base_url=self._base_url,
            api_key=self._key.get_secret_value() or "none",
            timeout=Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS),
            max_retries=self._retries,
        )

    def _cut(self, text: str) -> str:
        spans = self.token_offsets(text)
        limit = self._max_tokens - _SPECIAL_TOKENS
        return text if len(spans) <= limit else text[: spans[limit - 1][1]]

    def _request(self, texts: list[str]) -> Matrix:
        import openai

        try:
            # The client asks for base64 by default, which not every server speaks.
            answer = self._client.embeddings.create(model=self._model, input=texts, encoding_format="float")
        except openai.APIStatusError as exc:
            raise self._error(
                f"answered {exc.status_code}: {self._safe(exc.message)}", _advice(exc.status_code)
            ) from exc
        except openai.APITimeoutError as exc:
            raise self._error(f"did not answer within {_READ_SECONDS:.0f} s", "Check that it is running.") from exc
        except openai.APIConnectionError as exc:
            raise self._error("cannot be reached", "Check RAG_EMBEDDINGS_BASE_URL and that it is running.") from exc
        except (openai.OpenAIError, ValueError) as exc:
            raise self._error(f"sent no readable answer: {self._safe(str(exc))}", _WRONG_PATH) from exc
        return self._vectors(answer, len(texts))

    def _vectors(self, answer: object, expected: int) -> Matrix:
        data = getattr(answer, "data", None)
        if not isinstance(data, list):
            raise self._error("sent something else than embeddings, such as a web page", _WRONG_PATH)
        if len(data) != expected:
            raise self._error(f"sent {len(data)} vectors, expected {expected}", _WRONG_PATH)
        rows = [row.embedding for row in sorted(data, key=lambda row: row.index)]
        lengths = {len(row) if isinstance(row, list) else 0 for row in rows}
        expected_length = self._dimension or max(lengths)
        if lengths != {expected_length} or not expected_length:
            raise self._error(
                f"sent vectors of length {sorted(lengths)}, expected {expected_length or 'at least 1'}",
                f"Check that RAG_MODEL ({self._model}) names the model that it serves.",
            )
        vectors = np.array(rows, dtype=np.float32)
        if not np.isfinite(vectors).all() or not np.linalg.norm(vectors, axis=1).all():
            raise self._error("sent vectors that are not numbers, or all zero", "Check the model that it serves.")
        return vectors

    def _error(self, problem: str, advice: str) -> EmbeddingError:
        return EmbeddingError(f"The embeddings endpoint {self._base_url} {problem}. {advice}")

    def _safe(self, text: str) -> str:
        """Hide the key in a message of the endpoint, which may quote it."""
        key = self._key.get_secret_value()
        return (text.replace(key, "***") if key else text).strip()[:200]


_WRONG_PATH = "Check RAG_EMBEDDINGS_BASE_URL: it should end in /v1."


def _advice(status: int) -> str:
    if status in (401, 403):
        return "Check RAG_EMBEDDINGS_API_KEY."
    if status == 404:
        return "Check RAG_EMBEDDINGS_BASE_URL (it should end in /v1) and RAG_MODEL."
    return "Check that RAG_MODEL is the model it serves, and its log."
