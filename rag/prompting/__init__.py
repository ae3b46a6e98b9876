"""Hits and history into messages for an LLM, and its citation marks into citations."""

from rag.prompting.citations import NO_ANSWER, CitationFilter, cite, quoted
from rag.prompting.prompts import TASK_WORDING, condense_messages, messages

__all__ = ["NO_ANSWER", "TASK_WORDING", "CitationFilter", "cite", "condense_messages", "messages", "quoted"]
