"""The messages of conversations, in LangChain's SQL message history: the one user of langchain-community."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from rag.errors import CatalogError

if TYPE_CHECKING:
    from langchain_core.chat_history import BaseChatMessageHistory


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """One message as it was shown.

    Attributes:
        role: `user` or `assistant`.
        details: What was shown with it, as JSON values: task, mode, sources.
    """

    role: str
    text: str
    details: Mapping[str, Any] = field(default_factory=dict)


class MessageHistory:
    """Messages by conversation id. Who may read a conversation is the catalog's to say.

    Args:
        engine: The catalog's SQLAlchemy engine; the table `messages` is made on first use.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(rag_write=True)

    def turns(self, conversation: str) -> list[StoredTurn]:
        """All messages, oldest first."""
        try:
            messages = self._history(conversation).messages
        except SQLAlchemyError as exc:
            raise CatalogError(f"The conversation cannot be read: {type(exc).__name__}.") from exc
        roles = {"human": "user", "ai": "assistant"}
        return [
            StoredTurn(roles.get(message.type, message.type), str(message.text), message.additional_kwargs)
            for message in messages
        ]

    def add(self, conversation: str, turns: Sequence[StoredTurn]) -> None:
        """Append messages."""
        from langchain_core.messages import AIMessage, HumanMessage

        kinds = {"user": HumanMessage, "assistant": AIMessage}
        messages = [kinds[turn.role](turn.text, additional_kwargs=dict(turn.details)) for turn in turns]
        try:
            self._history(conversation).add_messages(messages)
        except SQLAlchemyError as exc:
            raise CatalogError(f"The conversation cannot be saved: {type(exc).__name__}.") from exc

    def clear(self, conversation: str) -> None:
        """Remove all messages of a conversation."""
        try:
            self._history(conversation).clear()
        except SQLAlchemyError as exc:
            raise CatalogError(f"The conversation cannot be deleted: {type(exc).__name__}.") from exc

    def _history(self, conversation: str) -> BaseChatMessageHistory:
        with warnings.catch_warnings():  # langchain-community says on import that it is being sunset
            warnings.simplefilter("ignore", DeprecationWarning)
            from langchain_community.chat_message_histories.sql import SQLChatMessageHistory
        return SQLChatMessageHistory(conversation, table_name="messages", connection=self._engine)
