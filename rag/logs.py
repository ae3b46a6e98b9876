"""Logging of a shell; the library itself only writes to the loggers below `rag`."""

from __future__ import annotations

import logging

from rag.render.text import printable


class PlainFormatter(logging.Formatter):
    """Leaves out what would steer a terminal: a record may hold the name of a file."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text without control characters."""
        return printable(super().format(record))


def configure_logging() -> None:
    """Send log records to standard error, unless the process has a place for them already."""
    handler = logging.StreamHandler()
    handler.setFormatter(PlainFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler])
