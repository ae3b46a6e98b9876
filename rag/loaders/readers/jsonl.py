"""JSONL: one JSON object a line, streamed."""

from __future__ import annotations

from rag.loaders.json_lines import load_jsonl
from rag.loaders.registry import Format

FORMAT = Format("jsonl", (".jsonl", ".ndjson"), load_jsonl, streams=True)
