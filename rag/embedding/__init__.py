"""Embedding: texts to vectors, and LangChain's view of it with the prompts of a task.

embedder = open_embedder(settings)                  loads the model; share it, it is thread-safe
embeddings = recipe.embeddings(embedder)            LangChain `Embeddings` of a recipe in force (`rag.recipes`)
embeddings.embed_query("How do I ...?")
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

from rag.embedding.langchain import TaskEmbeddings
from rag.errors import EmbeddingError, SettingsError
from rag.models import EmbeddingModel
from rag.settings import Settings
from rag.types import Embedder

__all__ = ["TaskEmbeddings", "open_bundled", "open_embedder", "open_second"]


def open_embedder(settings: Settings, prompts: Sequence[str] = ()) -> Embedder:
    """Load the model that the settings name.

    RAG_EMBEDDINGS_BASE_URL chooses an OpenAI-compatible endpoint; otherwise a bundled model is run from the cache in
    RAG_DATA_DIR, and any other id or folder by sentence-transformers.

    Args:
        settings: Name the model or the endpoint.
        prompts: Prompts that texts will begin with, for models that leave their prompt out of the pooling.

    Raises:
        EmbeddingError: The model cannot be loaded or the endpoint does not answer as expected, with the remedy.
        SettingsError: The settings name an unknown model or contradict each other.
    """
    model = settings.embedding_model
    if settings.embeddings_base_url:
        from rag.embedding.endpoint import EndpointEmbedder, Patience

        return EndpointEmbedder(
            settings.embeddings_base_url,
            model.id,
            settings.embeddings_api_key,
            model.dimension,
            model.max_tokens,
            Patience(settings.embeddings_timeout),
        )
    return _open_local(model, settings, prompts)


def open_second(settings: Settings) -> Embedder:
    """Load the second model that the settings name, in this process.

    Raises:
        EmbeddingError: The model cannot be loaded, with the remedy.
        SettingsError: The settings name none, or an unknown one.
    """
    model = settings.second_embedding_model
    if model is None:
        raise SettingsError("RAG_SECOND_MODEL is empty: there is no second model to load.")
    return _open_local(model, settings)


def _open_local(model: EmbeddingModel, settings: Settings, prompts: Sequence[str] = ()) -> Embedder:
    from rag.embedding.bundles import BUNDLES

    if model.id in BUNDLES:
        return open_bundled(model.id, settings)
    from rag.embedding.sentence_runtime import open_sentence_transformer

    return open_sentence_transformer(model, settings.threads, prompts)


def open_bundled(model: str, settings: Settings) -> Embedder:
    """Load a bundled model, whichever the settings name; each may be open beside the others.

    Args:
        model: `rag.models.BUNDLED` or `rag.models.MINILM`.
        settings: Name the runtime, the precision, the threads and RAG_DATA_DIR.

    Raises:
        EmbeddingError: The wheel, the runtime or the cache is missing or damaged, with the remedy.
        SettingsError: The runtime cannot compute in the precision.
    """
    from rag.embedding.bundled import BundledEmbedder
    from rag.embedding.bundles import BUNDLES, open_frontend

    bundle = BUNDLES[model]
    models = settings.data_dir / "models"
    runtime = settings.runtime
    if runtime == "auto":
        runtime = "openvino" if importlib.util.find_spec("openvino") else "torch"
    if runtime == "torch":
        from rag.embedding.torch_runtime import TorchEncoder

        if settings.precision not in ("auto", "float32"):
            raise SettingsError(
                f"RAG_PRECISION is {settings.precision!r}, but torch runs the bundled model in float32 only. "
                "Set RAG_PRECISION=auto, or RAG_RUNTIME=openvino."
            )
        portable = TorchEncoder(bundle.torch_folder(models), settings.threads)
        return BundledEmbedder(open_frontend(bundle, models), portable, "float32")
    if not importlib.util.find_spec("openvino"):
        raise EmbeddingError(
            "RAG_RUNTIME is 'openvino', but OpenVINO is not installed. Install it with `pip install openvino`, "
            "or set RAG_RUNTIME=torch."
        )
    from rag.embedding.openvino_runtime import open_openvino_encoder

    precision = "int8" if settings.precision == "auto" else settings.precision
    encoder = open_openvino_encoder(bundle, models, precision, settings.threads)
    return BundledEmbedder(open_frontend(bundle, models), encoder, precision)
