"""Files with holes: what is stored of them, and what comes back."""

from __future__ import annotations

import stat
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.maintenance.sparse import BLOCK, copy_sparse, data_length

STRETCHES = st.lists(st.tuples(st.integers(0, 3 * BLOCK), st.binary(min_size=1, max_size=50)), max_size=5)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(STRETCHES, st.integers(0, 4 * BLOCK))
def test_a_copy_has_the_bytes_and_the_length(tmp_path: Path, stretches: list[tuple[int, bytes]], size: int) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    target.unlink(missing_ok=True)
    with source.open("wb") as file:
        for position, data in stretches:
            file.seek(position)
            file.write(data)
        file.truncate(max(size, 0, *(position + len(data) for position, data in stretches)))
    copy_sparse(source, target)
    assert target.read_bytes() == source.read_bytes()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with source.open("rb") as file:
        data, whole = data_length(file)
        assert whole == source.stat().st_size
        assert file.read(data).rstrip(b"\0") + bytes(0) == source.read_bytes().rstrip(b"\0")
        assert data == len(source.read_bytes().rstrip(b"\0"))
