"""DATA: one `TaskSpec` per retrieval task. Adding a task is adding one entry."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rag.errors import UnknownNameError


class Symmetry(StrEnum):
    """Which prompts a two-prompt model uses: query's, then document's; `none` is for a corpus where prompts hurt."""

    QUERY_PASSAGE = "query/passage"
    QUERY_QUERY = "query/query"
    PASSAGE_PASSAGE = "passage/passage"
    NONE = "none"


class Chunking(StrEnum):
    """How documents of a task are cut."""

    STRUCTURE = "structure"
    FAQ_ENTRY = "faq-entry"
    WHOLE = "whole"
    SYNTAX = "syntax"
    SUMMARY = "summary"


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """A retrieval job.

    Attributes:
        name: What settings, commands and collections call it.
        title: What people read.
        query_is: What a query of this task is, in words.
        document_is: What a document of this task is, in words.
        gives: What the user gets.
        chunking: How documents are cut.
        chunk_tokens: Longest chunk in tokens of the model, special tokens and prompt included.
        overlap_tokens: Tokens that neighbouring chunks share.
        symmetry: The prompt mode for models with one prompt for each side, chosen by measurement (docs/evidence.md).
            `none` leaves such a model's prompts out; models with a prompt for this very task keep it.
        dense_weight: Share of the dense score in hybrid search; the rest is BM25. Chosen by measurement.
        spread: How much near entries answer for each other in hybrid search; for tasks where many entries ask for the
            same thing. Chosen by measurement.
        centred: Whether texts that are near to every question are discounted. Chosen by measurement.
        bare: Whether prompts are left out whatever the model, as a tuned profile may choose.
        analyser: BM25 text analysis: `prose` (words, stemmed) or `code` (identifiers split).
        instruction: What an instruct model is told about a query.
        example: A question for the empty chat.
    """

    name: str
    title: str
    query_is: str
    document_is: str
    gives: str
    chunking: Chunking
    chunk_tokens: int
    overlap_tokens: int
    symmetry: Symmetry
    dense_weight: float
    analyser: str
    instruction: str
    example: str
    spread: float = 0.0
    centred: bool = False
    bare: bool = False


TASKS: dict[str, TaskSpec] = {
    spec.name: spec
    for spec in (
        TaskSpec(
            name="qa",
            title="Document Q&A",
            query_is="a question",
            document_is="a passage of a document",
            gives="an answer with citations",
            chunking=Chunking.STRUCTURE,
            chunk_tokens=256,
            overlap_tokens=32,
            symmetry=Symmetry.QUERY_PASSAGE,
            dense_weight=0.35,
            analyser="prose",
            instruction="Given a question, retrieve passages that answer the question",
            example="Why are questions and documents embedded differently?",
        ),
        TaskSpec(
            name="faq",
            title="FAQ matching",
            query_is="a question",
            document_is="the question of an FAQ entry",
            gives="the stored answer of the closest entry, and near ones",
            chunking=Chunking.FAQ_ENTRY,
            chunk_tokens=512,
            overlap_tokens=0,
            symmetry=Symmetry.QUERY_PASSAGE,
            dense_weight=0.85,
            analyser="prose",
            instruction="Given a question, retrieve questions that ask for the same thing",
            example="Do I need an API key?",
            spread=1.5,
            centred=True,
        ),
        TaskSpec(
            name="similar",
            title="Similar documents",
            query_is="a document or a paragraph",
            document_is="a whole document",
            gives="documents like this one, with why",
            chunking=Chunking.WHOLE,
            chunk_tokens=512,
            overlap_tokens=0,
            symmetry=Symmetry.NONE,
            dense_weight=0.35,
            analyser="prose",
            instruction="Given a document, retrieve documents about the same subject",
            example="A page about how prompts change the vectors of questions and passages.",
            spread=1.5,
        ),
        TaskSpec(
            name="code",
            title="Code search",
            query_is="a sentence in natural language",
            document_is="a function, class or block",
            gives="code with file and lines",
            chunking=Chunking.SYNTAX,
            chunk_tokens=384,
            overlap_tokens=0,
            symmetry=Symmetry.QUERY_PASSAGE,
            dense_weight=0.75,
            analyser="code",
            instruction="Given a description of what code does, retrieve code that does it",
            example="fuse two ranked lists with a weight",
            centred=True,
        ),
        TaskSpec(
            name="summary",
            title="What is about it",
            query_is="a topic",
            document_is="the summary of a document",
            gives="which documents are about it",
            chunking=Chunking.SUMMARY,
            chunk_tokens=512,
            overlap_tokens=0,
            symmetry=Symmetry.QUERY_PASSAGE,
            dense_weight=0.5,
            analyser="prose",
            instruction="Given a topic, retrieve summaries of documents about the topic",
            example="measuring retrieval quality",
        ),
    )
}


def get_task(name: str) -> TaskSpec:
    """The task of that name.

    Raises:
        UnknownNameError: Naming near matches.
    """
    try:
        return TASKS[name]
    except KeyError:
        raise UnknownNameError("task", name, TASKS) from None
