"""Models without prompts, and any unlisted model."""

from __future__ import annotations

from rag.models.spec import Family

FAMILY = Family("plain")
