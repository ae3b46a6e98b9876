"""The shell around all commands: how they are run, which services they get, and what their exit codes mean."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from threading import Event as Cancel
from typing import TYPE_CHECKING, NoReturn

import typer

from rag.cli.console import note, working
from rag.errors import RagError
from rag.files import keep_private, private_folder
from rag.logs import configure_logging
from rag.render.text import printable

if TYPE_CHECKING:
    from rag.jobs import OnProgress
    from rag.services import Rag

DONE, NOTHING_DONE, USAGE, PARTLY_DONE, STOPPED = 0, 1, 2, 3, 130
"""Exit codes. 130 is a second Ctrl-C, or one outside of long work."""


def _make_rag() -> Rag:
    from rag.services import Rag

    return Rag()


@dataclass(frozen=True, slots=True)
class Shell:
    """The surroundings of a command; whoever drives the command line may give others.

    Attributes:
        make_rag: Opens the services.
        working: Surrounds long work: gives the callback for its progress, and the event that stops it.
    """

    make_rag: Callable[[], Rag] = _make_rag
    working: Callable[[], AbstractContextManager[tuple[OnProgress, Cancel]]] = working

    @contextmanager
    def opened(self) -> Iterator[Rag]:
        """The services, closed again at the end."""
        rag = self.make_rag()
        try:
            yield rag
        finally:
            rag.close()


def erase_deleted(rag: Rag, *, thrifty: bool = False) -> None:
    """Erase deleted text before a command ends; when that fails, say so, as what it was asked for is done."""
    try:
        rag.erase(thrifty=thrifty)
    except RagError as exc:
        note(f"deleted text is still in files of the data folder, and will be erased later: {exc}")


app = typer.Typer(
    name="rag",
    help="Chat with your own documents; retrieval that is task-aware and measured.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main(arguments: Sequence[str] | None = None, shell: Shell | None = None) -> None:
    """Run the command line and exit.

    Args:
        arguments: By default those of the process.
        shell: Surroundings of the command.
    """
    configure_logging()
    keep_private()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal of another encoding shows a question mark
    try:
        app(arguments, prog_name="rag", obj=shell)
    except RagError as exc:
        fail(str(exc), NOTHING_DONE)
    except KeyboardInterrupt:
        fail("stopped", STOPPED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(NOTHING_DONE)
    except Exception as exc:  # noqa: BLE001 - the outermost shell: people get one line, the log has the rest
        fail(_unexpected(exc), NOTHING_DONE)


def fail(message: str, code: int) -> NoReturn:
    """End with one line on standard error."""
    sys.stderr.write(f"error: {' '.join(printable(message).split())}\n")
    sys.exit(code)


def _unexpected(exc: Exception) -> str:
    """Write the traceback to a log in the data folder and return the line for people."""
    line = f"{type(exc).__name__}: {exc}"
    try:
        from rag.settings import load_settings

        folder = private_folder(load_settings().data_dir)
        path = folder / "errors.log"
        handler = logging.FileHandler(path, encoding="utf-8")
    except (RagError, OSError):
        return line
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log = logging.getLogger("rag.unexpected")
    log.propagate = False
    log.addHandler(handler)
    log.error(line, exc_info=exc)
    handler.close()
    return f"{line} (details in {path})"
