"""The server engine: collections on a Qdrant server or cluster, by qdrant-client."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rag.errors import SettingsError, VectorIndexError
from rag.index.collection import IndexCollection
from rag.index.engines.spec import EngineEntry
from rag.index.payload import KEYWORDS, TERMS
from rag.index.recipe import collection_name, identity, recipe_from, recipe_mismatch, require_vectors
from rag.index.remote import RemoteCollection, client_errors
from rag.redaction import shown_url
from rag.settings import Settings
from rag.types import Recipe, VectorIndex

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

PREFIX = "task-aware-rag-"
"""Put before every collection's name, because a server may hold other programs' collections."""

_OWNER = "catalog"
"""Key of the metadata that holds the id of the catalog which owns a collection."""
_OLDEST = (1, 20)
_TIMEOUT = 60


class ServerEngine:
    """Collections on the server at `url`, shared by any number of processes.

    Args:
        url: Address of the server, with the port when it is not 6333.
        api_key: Key of the server; empty when it asks for none.
        client: Used instead of a client made from `url` and `api_key`.
    """

    kind = "server"

    def __init__(self, url: str, api_key: str = "", client: QdrantClient | None = None) -> None:
        self._errors = client_errors(shown_url(url))
        self._client = client or _client(url, api_key)
        self._open: dict[str, IndexCollection] = {}
        self._lock = threading.Lock()

    def open(self, recipe: Recipe) -> VectorIndex:
        """Open the recipe's collection, created when absent; the same object while it stays open.

        Raises:
            RecipeMismatchError: The collection of that name was built by another recipe.
            IndexUnavailableError: The server cannot be reached or refused.
        """
        name = collection_name(recipe)
        with self._lock:
            index = self._open.get(name)
            if index is None or index.closed:
                with self._errors:
                    if not self._client.collection_exists(PREFIX + name):
                        self._create(PREFIX + name, recipe)
                built = self._identity(name)
                if built != identity(recipe):
                    raise recipe_mismatch(built, recipe)
                require_vectors(self._vectors(name), recipe)
                index = self._open[name] = self._load(name, recipe)
            return index

    def open_as_built(self, name: str) -> VectorIndex | None:
        """Open a collection whatever recipe, and whatever version of this program, built it; None when it is absent.

        Raises:
            RecipeMismatchError: The collection does not say how it was built.
            IndexUnavailableError: The server cannot be reached or refused.
        """
        with self._lock:
            if name not in self.collections():
                return None
            index = self._open.get(name)
            if index is None or index.closed:
                index = self._open[name] = self._load(name, recipe_from(self._identity(name)))
            return index

    def collections(self) -> list[str]:
        """Return the names of this project's collections, without their prefix, sorted."""
        with self._errors:
            collections = self._client.get_collections().collections
        return sorted(entry.name.removeprefix(PREFIX) for entry in collections if entry.name.startswith(PREFIX))

    def recipe(self, name: str) -> Recipe:
        """Return the recipe that a collection was built by.

        Raises:
            RecipeMismatchError: It does not say.
        """
        return recipe_from(self._identity(name))

    def owner(self, name: str) -> str:
        """Return the id of the catalog that a collection belongs to; empty when nobody has claimed it."""
        return str(self._metadata(name).get(_OWNER, ""))

    def claim(self, name: str, owner: str) -> None:
        """Note the id of the catalog that a collection belongs to from now on."""
        with self._errors:
            self._client.update_collection(PREFIX + name, metadata={_OWNER: owner})

    def drop(self, name: str) -> None:
        """Close and remove a collection; an absent one is no error."""
        with self._lock:
            index = self._open.pop(name, None)
            if index is not None:
                index.close()
            with self._errors:
                if self._client.collection_exists(PREFIX + name):
                    self._client.delete_collection(PREFIX + name)

    def optimise(self, name: str) -> int:
        """Do nothing: a server builds by itself."""
        del name
        return 0

    def unerased(self) -> list[str]:
        """Return nothing: a server rewrites its segments by itself."""
        return []

    def erase(self, name: str, cancel: threading.Event | None = None, *, thrifty: bool = False) -> bool:
        """Do nothing: a server rewrites its segments by itself."""
        del name, cancel, thrifty
        return False

    def close(self) -> None:
        """Close every open collection and the connection."""
        with self._lock:
            for index in self._open.values():
                index.close()
            self._open.clear()
            with self._errors:
                self._client.close()

    def _load(self, name: str, recipe: Recipe) -> IndexCollection:
        with self._errors:
            self._complete(PREFIX + name)
        return IndexCollection(name, recipe.sizes, RemoteCollection(self._client, PREFIX + name, self._errors))

    def _create(self, name: str, recipe: Recipe) -> None:
        from qdrant_client import models
        from qdrant_client.http.exceptions import UnexpectedResponse

        self._require_version()
        vectors = {
            vector: models.VectorParams(size=size, distance=models.Distance.COSINE)
            for vector, size in recipe.sizes.items()
        }
        try:
            self._client.create_collection(name, vectors_config=vectors, metadata=identity(recipe))
        except UnexpectedResponse:
            if not self._client.collection_exists(name):
                raise

    def _complete(self, name: str) -> None:
        """Make the payload indexes that are missing; a process may have been killed before it made them all."""
        from qdrant_client import models

        keyword = models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD)
        tenant = models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True)
        terms = models.TextIndexParams(type=models.TextIndexType.TEXT, scoring=True)
        indexed = self._client.get_collection(name).payload_schema
        for field in (*KEYWORDS, TERMS):
            if field not in indexed:
                schema = tenant if field == "workspace" else terms if field == TERMS else keyword
                self._client.create_payload_index(name, field, schema, wait=True)

    def _identity(self, name: str) -> Mapping[str, object]:
        return {key: value for key, value in self._metadata(name).items() if key != _OWNER}

    def _vectors(self, name: str) -> dict[str, tuple[int, str]]:
        with self._errors:
            vectors = self._client.get_collection(PREFIX + name).config.params.vectors
        # One unnamed vector, or none, is no collection of this program.
        named = vectors if isinstance(vectors, dict) else {}
        return {key: (vector.size, str(vector.distance.value)) for key, vector in named.items()}

    def _metadata(self, name: str) -> Mapping[str, object]:
        with self._errors:
            return self._client.get_collection(PREFIX + name).config.metadata or {}

    def _require_version(self) -> None:
        version = self._client.info().version
        numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
        if numbers < _OLDEST:
            raise VectorIndexError(
                f"Found Qdrant {version} at RAG_QDRANT_URL, expected 1.20 or newer, which ranks text by BM25. "
                "Upgrade the server, or unset RAG_QDRANT_URL to use the embedded engine."
            )


def _from_settings(settings: Settings) -> ServerEngine:
    if not settings.qdrant_url:
        raise SettingsError("RAG_ENGINE is `server`, but RAG_QDRANT_URL is empty: set it to the address of the server.")
    return ServerEngine(settings.qdrant_url, settings.qdrant_api_key.get_secret_value())


def _client(url: str, api_key: str) -> QdrantClient:
    from qdrant_client import QdrantClient

    return QdrantClient(url=url, api_key=api_key or None, timeout=_TIMEOUT, check_compatibility=False)


ENGINE = EngineEntry(
    name="server",
    is_default=lambda settings: bool(settings.qdrant_url),
    open=_from_settings,
    describe=lambda settings: f"Qdrant server at {shown_url(settings.qdrant_url)}",
)
