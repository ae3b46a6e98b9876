"""What is done to a library while its disk fails: `python -m bench.trust.disk_work FOLDER`. Ends with status 0.

Every command may be refused with an error in words; a question has to be answered once the library was opened. Prints
the refusals, and `answered` or `unanswered`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from rag import Rag, Request
from rag.errors import RagError
from rag.settings import load_settings
from tests.fakes import FakeEmbedder

T = TypeVar("T")
SECTIONS = 12
QUESTION = "What does section 3 of the manual say about the pump?"


def text(name: str, version: str) -> bytes:
    """Return a document whose every section says of which version it is."""
    section = "The {0} of section {1} is in state {2}, as its pump was checked by the crew of {0} in {2} weeks. "
    parts = [f"# Section {n}\n\n{(section.format(name, n, version)) * 12}" for n in range(SECTIONS)]
    return "\n\n".join(parts).encode()


def opened(folder: Path) -> Rag:
    """Return the library in a folder."""
    return Rag(load_settings(data_dir=folder, workers=1), embedder=FakeEmbedder(384))


def main() -> None:
    """Update, add, ask, delete and ask again."""
    rag = opened(Path(sys.argv[1]))
    conversation = ""
    attempt("open", lambda: list(rag.ask(QUESTION)))
    attempt("ingest", lambda: rag.ingest_uploads([("a.md", text("a", "new")), ("d.md", text("d", "new"))], "qa"))
    conversation = attempt("conversation", rag.new_conversation) or ""
    answers = attempt("ask", lambda: list(rag.ask(Request(QUESTION, conversation=conversation or None))))
    attempt("delete", lambda: rag.delete(["c.md"], "qa"))
    again = attempt("ask again", lambda: list(rag.ask(QUESTION)))
    attempt("close", rag.close)
    print("answered" if answers and again else "unanswered", flush=True)


def attempt(name: str, work: Callable[[], T]) -> T | None:
    """Return what a command gives, or None when it is refused in words."""
    try:
        return work()
    except RagError as exc:
        print(f"{name}: {type(exc).__name__}: {exc}", flush=True)
        return None


if __name__ == "__main__":
    main()
