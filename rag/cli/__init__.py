"""`python -m rag ...`: one module for each group of commands; heavy parts are imported inside the commands."""

from __future__ import annotations

from rag.cli import ask, evaluate, info, ingest, library
from rag.cli.shell import app, main

for _module in (ingest, ask, library, evaluate, info):
    _module.register(app)

__all__ = ["app", "main"]
