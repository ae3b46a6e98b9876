"""The sentence-transformers runtime: a stand-in that records what it is given, and a tiny real model made here."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.embedding import open_embedder
from rag.embedding.sentence_runtime import SentenceTransformerEmbedder
from rag.errors import EmbeddingError
from rag.recipes import resolve
from rag.settings import Settings
from rag.tasks import get_task
from rag.types import Matrix
from tests.fakes import FakeEmbedder


class Tokenizer:
    """Words as tokens, in the shape that transformers' tokenizers answer."""

    def __call__(self, text: str | list[str], **options: Any) -> dict[str, Any]:
        if isinstance(text, str):
            return {"offset_mapping": FakeEmbedder().token_offsets(text)}
        return {"input_ids": [[0] * min(len(line.split()) + 2, options["max_length"]) for line in text]}


class Module:
    """A pooling module; INSTRUCTOR's leaves the prompt out."""

    def __init__(self, include_prompt: bool) -> None:
        self.include_prompt = include_prompt


class Recorder:
    """A stand-in for `SentenceTransformer`."""

    def __init__(self, include_prompt: bool = True, limit: int = 128) -> None:
        self.max_seq_length = limit
        self.tokenizer = Tokenizer()
        self.calls: list[tuple[str | None, list[str]]] = []
        self._modules = [Module(include_prompt)]

    def __iter__(self) -> Any:
        return iter(self._modules)

    def get_embedding_dimension(self) -> int:
        return 64

    def encode(self, texts: list[str], prompt: str | None = None, **options: Any) -> Matrix:
        assert options["normalize_embeddings"]
        self.calls.append((prompt, list(texts)))
        return FakeEmbedder().encode([(prompt or "") + text for text in texts])


def test_exact_texts_reach_the_model_and_its_own_prompts_do_not() -> None:
    model = Recorder()
    embedder = SentenceTransformerEmbedder(model, prompts=["query: "])
    texts = ["query: a", "passage: b\n\tc", ""]
    vectors = embedder.encode(texts)
    assert all(prompt == "" for prompt, _ in model.calls)  # not None, which would mean the model's default prompt
    assert sorted(text for _, batch in model.calls for text in batch) == sorted(texts)
    np.testing.assert_allclose(vectors, FakeEmbedder().encode(texts))


def test_a_model_that_pools_without_its_prompt_is_told_where_it_ends() -> None:
    model = Recorder(include_prompt=False)
    prompts = ["Represent the question: ", "Represent: ", ""]
    embedder = SentenceTransformerEmbedder(model, prompts=prompts)
    texts = ["Represent the question: why?", "bare", "Represent: this"]
    vectors = embedder.encode(texts)
    assert sorted(model.calls) == [
        ("", ["bare"]),
        ("Represent the question: ", ["why?"]),
        ("Represent: ", ["this"]),
    ]
    np.testing.assert_allclose(vectors, FakeEmbedder().encode(texts))


def test_batches_are_by_length_and_the_order_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.embedding.sentence_runtime.TOKEN_BUDGET", 60)
    model = Recorder()
    texts = ["short one", "long " * 40, "also short", "long " * 38]
    vectors = SentenceTransformerEmbedder(model).encode(texts)
    assert [batch for _, batch in model.calls] == [[texts[1]], [texts[3]], ["short one", "also short"]]
    np.testing.assert_allclose(vectors, FakeEmbedder().encode(texts))


@pytest.mark.parametrize(
    ("model_limit", "registered", "limit"), [(128, 64, 64), (128, 0, 128), (128, 512, 128), (0, 0, 512)]
)
def test_the_smaller_limit_holds(model_limit: int, registered: int, limit: int) -> None:
    model = Recorder(limit=model_limit)
    assert SentenceTransformerEmbedder(model, registered).max_tokens == limit == model.max_seq_length


def test_nothing_gives_no_row() -> None:
    assert SentenceTransformerEmbedder(Recorder()).encode([]).shape == (0, 64)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A two-layer BERT with random weights and its own default prompt, saved as a sentence-transformers folder."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(3)
    bare, folder = tmp_path_factory.mktemp("bare"), tmp_path_factory.mktemp("tiny")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "query", "passage", ":", "hello", "world", "again"]
    (bare / "vocab.txt").write_text("\n".join(words))
    BertTokenizerFast(vocab=str(bare / "vocab.txt"), model_max_length=32).save_pretrained(bare)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    BertModel(BertConfig(vocab_size=len(words), max_position_embeddings=32, **sizes)).eval().save_pretrained(bare)
    model = SentenceTransformer(
        modules=[Transformer(str(bare), max_seq_length=32), Pooling(16)],
        prompts={"query": "query : ", "document": "passage : "},
        default_prompt_name="query",
    )
    model.save(str(folder))
    return folder


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_folder_loads_and_its_default_prompt_is_not_applied_twice(tiny: Path) -> None:
    from sentence_transformers import SentenceTransformer

    settings = Settings(model=str(tiny), query_prompt="query : ", document_prompt="")
    embedder = open_embedder(settings)
    assert (embedder.dimension, embedder.max_tokens, embedder.precision) == (16, 32, "float32")
    embeddings = resolve(settings, get_task("qa")).embeddings(embedder)
    reference = SentenceTransformer(str(tiny))
    once = reference.encode(["query : hello"], prompt="", normalize_embeddings=True)
    np.testing.assert_allclose(embeddings.queries(["hello"]), once, atol=1e-5)
    bare = reference.encode(["hello"], prompt="", normalize_embeddings=True)
    np.testing.assert_allclose(embeddings.documents(["hello"]), bare, atol=1e-5)
    assert not np.allclose(once, bare, atol=1e-3)
    assert embedder.token_offsets("hello world") == [(0, 5), (6, 11)]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_model_that_cannot_be_loaded_names_what_works_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_text("{")
    for name in (str(tmp_path), "no-such-owner/no-such-model"):
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        with pytest.raises(EmbeddingError, match=r"cannot be loaded.*RAG_MODEL.*RAG_EMBEDDINGS_BASE_URL"):
            open_embedder(Settings(model=name, model_family="plain"))
