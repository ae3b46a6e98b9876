"""The only reader of the environment. Every setting is described here; `docs/settings.md` is generated from it."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rag.disk import RESERVE_MB, Reserve
from rag.errors import SettingsError, UnknownNameError
from rag.models import BUNDLED, FAMILIES, MINILM, MODELS, EmbeddingModel
from rag.redaction import shown_url

ENV_FILE = Path(__file__).resolve().parents[1] / ".env"
"""Settings beside `app.py`. Never of the current folder: a stranger's file there could name the endpoint of a key."""


AUTO = "auto"


class Settings(BaseSettings):
    """All settings, validated once at load. Each is read from `RAG_<NAME>` in the environment or in `ENV_FILE`."""

    # Names of other programs in the file are none of ours; `load_settings` refuses misspelt ones of ours.
    model_config = SettingsConfigDict(env_prefix="RAG_", env_file=ENV_FILE, extra="ignore", frozen=True)

    data_dir: Path = Field(
        default=Path("data"),
        description="Folder for the index, the database, uploaded files and the models. Nothing is written outside.",
    )
    workspace: str = Field(
        default="default",
        min_length=1,
        max_length=64,
        description="Workspace that reads and writes.",
    )

    model: str = Field(
        default=BUNDLED,
        description="Embedding model: an id that `rag models` lists, any hub id, or a folder.",
    )
    model_family: str = Field(
        default="",
        description="Prompt family of a model that `rag models` does not list; empty means `plain`, or your prompts.",
    )
    second_model: str = Field(
        default=AUTO,
        description="A second embedding model whose opinion is mixed in: an id that `rag models` lists, or a folder; "
        "`auto` takes the bundled one beside the bundled RAG_MODEL and none beside another, empty means none.",
    )
    query_prompt: str | None = Field(
        default=None,
        description="Put before every question instead of the model's own prompt.",
    )
    document_prompt: str | None = Field(
        default=None, description="Put before every document instead of the model's own prompt."
    )
    comparison: bool = Field(
        default=True, description="Keep an unprompted vector beside the task-aware one, so that modes can be compared."
    )
    calibrate: bool = Field(
        default=False,
        description="After an ingest, adapt the shares of words and of meaning to the task's index, in the background. "
        "`rag calibrate` does it once at any setting, `rag calibrate --off` takes it back for one index.",
    )
    runtime: Literal["auto", "openvino", "torch"] = Field(
        default="auto", description="Engine of the bundled model; `auto` takes the fastest that is installed."
    )
    precision: Literal["auto", "float32", "bfloat16", "int8"] = Field(
        default="auto", description="Arithmetic of the bundled model; `auto` takes the fastest that keeps the quality."
    )
    threads: int = Field(default=0, ge=0, description="CPU threads for embedding; 0 means all cores.")

    embeddings_base_url: str = Field(
        default="", description="OpenAI-compatible endpoint, up to and with `/v1`, that embeds with RAG_MODEL."
    )
    embeddings_api_key: SecretStr = Field(
        default=SecretStr(""),
        description="Key of the embeddings endpoint.",
    )
    embeddings_timeout: float = Field(
        default=60.0, gt=0, description="Seconds to wait for the embeddings endpoint's answer to one request."
    )

    engine: str = Field(
        default="auto",
        description="Vector engine: `auto` (a server when RAG_QDRANT_URL is set, else in this process), `embedded`, "
        "`server`, or one of your own.",
    )
    qdrant_url: str = Field(
        default="",
        description="Qdrant server or cluster; empty means the embedded engine.",
    )
    qdrant_api_key: SecretStr = Field(default=SecretStr(""), description="Key of the Qdrant server.")

    database_url: SecretStr = Field(
        default=SecretStr(""), description="SQLAlchemy URL of the catalog; empty means SQLite in the data folder."
    )

    llm_base_url: str = Field(
        default="",
        description="OpenAI-compatible endpoint, up to and with `/v1`; empty means OpenAI's when a key is set.",
    )
    llm_model: str = Field(
        default="",
        description="Model that writes answers; empty means the extractive answerer.",
    )
    answerer: str = Field(
        default="auto",
        description="Who writes answers: `auto` (the LLM when one is named, else quotations), `extractive`, "
        "`openai-compatible`, or one of your own.",
    )
    openai_api_key: SecretStr = Field(
        default=SecretStr(""), validation_alias="OPENAI_API_KEY", description="Key of the LLM endpoint."
    )
    llm_temperature: float = Field(default=0.0, ge=0, le=2, description="Sampling temperature of the LLM.")
    llm_max_tokens: int = Field(default=1024, ge=16, description="Longest answer in tokens.")
    llm_timeout: float = Field(
        default=60.0,
        gt=0,
        description="Seconds to wait for the LLM's next piece of text, the first included; rewriting a follow-up may "
        "take half of it in all.",
    )
    llm_total_timeout: float = Field(
        default=300.0,
        gt=0,
        description="Seconds that one answer of the LLM may take in all; the part that came is kept.",
    )

    top_k: int = Field(default=6, ge=1, le=100, description="Sources for an answer.")
    strategy: Literal["dense", "bm25", "hybrid"] = Field(
        default="hybrid",
        description="Search strategy of the task-aware mode.",
    )
    reranker: str = Field(
        default="",
        description="Cross-encoder model (hub id or folder) that reorders hits; empty means none.",
    )

    workers: int = Field(
        default=0,
        ge=0,
        description="Processes that parse files; 0 means one less than the cores, at least 1.",
    )
    erase_after: float = Field(
        default=60.0,
        ge=1,
        description="Seconds after which deleted text begins to be erased from the files of the index and the catalog.",
    )
    max_file_mb: int = Field(
        default=100,
        ge=1,
        description="Largest file in megabytes, uploads included; tables, JSONL and text that the command line reads "
        "are streamed and exempt.",
    )
    max_library_mb: int = Field(
        default=0,
        ge=0,
        description="Megabytes of files that the library of a workspace may hold; 0 means any.",
    )
    parse_timeout: float = Field(
        default=60.0,
        gt=0,
        description="Seconds a parser may take for a file, or for each RAG_MAX_FILE_MB of a streamed one.",
    )
    parse_memory_mb: int = Field(
        default=2048,
        ge=256,
        description="Memory a parser may take for one file, in megabytes.",
    )

    disk_reserve_mb: int = Field(
        default=RESERVE_MB,
        ge=0,
        description="Free disk space in megabytes that adding documents leaves to messages and deleting; on a small "
        "disk a twentieth of it, when that is less.",
    )

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="WARNING",
        description="Least severe log level shown.",
    )

    @field_validator("data_dir", mode="before")
    @classmethod
    def _named(cls, value: object) -> object:
        """Take an empty name for none: it would mean the current folder, whatever that is."""
        return cls.model_fields["data_dir"].default if value == "" else value

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("embeddings_base_url", "qdrant_url", "llm_base_url")
    @classmethod
    def _http(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError(f"found {shown_url(value)!r}, expected a URL that begins with http:// or https://")
        return value.rstrip("/")

    @field_validator("model_family")
    @classmethod
    def _family(cls, value: str) -> str:
        if value and value not in FAMILIES:
            raise ValueError(str(UnknownNameError("model family", value, FAMILIES)))
        return value

    @field_validator("query_prompt", "document_prompt")
    @classmethod
    def _prompt(cls, value: str | None) -> str | None:
        if value is None:
            return None
        prefix = value.removesuffix("{text}")
        if "{" in prefix or "}" in prefix:
            raise ValueError(
                f"found {value!r}, expected text to put before each text, with no placeholder but a final {{text}}"
            )
        return prefix

    @cached_property
    def reserve(self) -> Reserve:
        """The free disk space that large writes to the data folder leave."""
        return Reserve(self.data_dir, self.disk_reserve_mb)

    @cached_property
    def embedding_model(self) -> EmbeddingModel:
        """The model in force.

        Raises:
            UnknownNameError: The id is not registered and says neither a family, a prompt, nor a local folder.
        """
        if self.model in MODELS:
            return MODELS[self.model]
        described = self.model_family or self.query_prompt is not None or self.document_prompt is not None
        if not described and not Path(self.model).is_dir():
            error = UnknownNameError("model", self.model, MODELS)
            raise SettingsError(
                f"{error} For a model that is not listed, also set RAG_MODEL_FAMILY "
                f"(one of {', '.join(sorted(FAMILIES))}) or RAG_QUERY_PROMPT and RAG_DOCUMENT_PROMPT."
            )
        return EmbeddingModel(self.model, self.model_family or "plain", 0, 0, "", "unknown", 0)

    @cached_property
    def second_embedding_model(self) -> EmbeddingModel | None:
        """The second model in force, or None.

        Raises:
            SettingsError: The id is neither registered nor a local folder.
        """
        if self.second_model == AUTO:
            is_bundled = self.model == BUNDLED and not self.embeddings_base_url
            return MODELS[MINILM] if is_bundled else None
        if not self.second_model or self.second_model == self.model:
            return None
        if self.second_model in MODELS:
            return MODELS[self.second_model]
        if not Path(self.second_model).is_dir():
            raise SettingsError(f"RAG_SECOND_MODEL: {UnknownNameError('model', self.second_model, MODELS)}")
        return EmbeddingModel(self.second_model, "plain", 0, 0, "", "unknown", 0)


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment and from `ENV_FILE`, with `overrides` by field name on top.

    Raises:
        SettingsError: Naming each setting that is wrong, what was found and what was expected.
    """
    known = {variable(field): field for field in Settings.model_fields}
    for name in (*os.environ, *_names_in_file()):
        if name.startswith("RAG_") and not name.startswith("RAG_TEST_") and name not in known:
            raise SettingsError(str(UnknownNameError("setting", name, known)))
    for name in overrides:
        if name not in Settings.model_fields:
            raise SettingsError(str(UnknownNameError("setting", name, Settings.model_fields)))
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as exc:
        lines = [f"{variable(str(e['loc'][0]))}: {e['msg'].removeprefix('Value error, ')}" for e in exc.errors()]
        raise SettingsError("Settings are not valid. " + "; ".join(lines)) from None  # the cause would show values


def _names_in_file() -> list[str]:
    """Names that the settings file sets, those of other programs included."""
    from dotenv import dotenv_values

    path = Settings.model_config.get("env_file")
    try:
        return [] if path is None else list(dotenv_values(str(path), interpolate=False))
    except (OSError, UnicodeDecodeError) as exc:
        raise SettingsError(f"The settings file {path} cannot be read ({exc}). Save it as UTF-8 text.") from None


def variable(field: str) -> str:
    """Name of the environment variable of a settings field."""
    info = Settings.model_fields.get(field)
    return str(info.validation_alias) if info is not None and info.validation_alias else f"RAG_{field.upper()}"
