"""Services for commands, and what they print."""

import json

from rag import Rag
from tests.fakes import FakeEmbedder


def make_rag():
    return Rag(embedder=FakeEmbedder(384))


def parsed(result):
    return json.loads(result.stdout)
