"""The runtime of the bundled models tells its makers nothing."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_no_telemetry_is_loaded_and_nothing_is_written_at_home(tmp_path: Path) -> None:
    program = (
        "import sys; from rag.embedding.vendor import import_openvino; import_openvino().Core(); "
        "assert sys.modules['openvino_telemetry'] is None"
    )
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    assert list(tmp_path.rglob("*")) == []
