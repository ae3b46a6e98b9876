"""Stable hashes of plain data, for ids and cache keys."""

from __future__ import annotations

import hashlib
import json


def digest(*parts: object) -> str:
    """Hash plain data into 32 hexadecimal digits."""
    text = json.dumps(parts, ensure_ascii=True, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
