"""The size that a library may grow to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rag.catalog import FileRecord
from rag.errors import FileTooLargeError
from rag.ingest.reading import End, VersionJob


def beyond_quota(jobs: Iterable[VersionJob], files: Sequence[FileRecord], max_mb: int) -> list[End]:
    """Return the ends of the jobs that a library has no room for, in order; the same bytes count once.

    Args:
        jobs: Versions to add or to replace.
        files: The files of the library, of all tasks.
        max_mb: Megabytes of files that it may hold; 0 means any.
    """
    if not max_mb:
        return []
    size_of = {file.sha256: file.size for file in files}
    users = Counter(file.sha256 for file in files)
    current = {file.id: file.sha256 for file in files}
    total, ends = sum(size_of.values()), []
    for job in jobs:
        version, replaced = job.version, current.get(job.version.file, "")
        freed = size_of[replaced] if users[replaced] == 1 and replaced != version.sha256 else 0
        added = 0 if users[version.sha256] else version.size
        if added and total + added - freed > max_mb << 20:
            ends.append(End(job, FileTooLargeError.__name__, _reason(version.size, total, max_mb)))
            continue
        total += added - freed
        users[replaced] -= 1
        users[version.sha256] += 1
        size_of[version.sha256] = version.size
    return ends


def _reason(size: int, total: int, max_mb: int) -> str:
    return (
        f"The library holds {total / 2**20:,.1f} of at most {max_mb:,} MB, and this file has {size / 2**20:,.1f} MB. "
        "Delete files, or raise RAG_MAX_LIBRARY_MB."
    )
