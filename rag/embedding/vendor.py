"""OpenVINO without its telemetry, which would send an event to its makers whenever the package is imported."""

from __future__ import annotations

import sys
from typing import Any


def import_openvino() -> Any:
    """Return the `openvino` module. Its telemetry package is kept from being imported, so that a stub takes its place.

    Raises:
        ImportError: OpenVINO is not installed.
    """
    if "openvino" not in sys.modules:
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # importing it fails now
    import openvino

    return openvino
