"""Logging of a shell; the library itself only writes to the loggers below `rag`."""

from __future__ import annotations

import logging


def configure_logging() -> None:
    """Send log records to standard error, unless the process has a place for them already."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
