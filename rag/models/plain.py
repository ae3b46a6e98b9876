"""Models without prompts, and any model that nothing is known of."""

from __future__ import annotations

from rag.models.spec import Family

FAMILY = Family("plain")
