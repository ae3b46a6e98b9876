"""`python -m rag ...`: one module for each group of commands; heavy parts are imported inside the commands."""

from __future__ import annotations

from rag.cli import ask, backup, evaluate, info, ingest, library, maintenance
from rag.cli.command import flattened
from rag.cli.shell import Shell, app, main

for _module in (ingest, ask, library, maintenance, backup, evaluate, info):
    for _name, _command in _module.COMMANDS.items():
        app.command(name=_name)(flattened(_command))

__all__ = ["Shell", "app", "main"]
