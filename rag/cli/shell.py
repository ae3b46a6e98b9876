"""What all commands share: options, output, errors and exit codes."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from rag.errors import RagError
from rag.render.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from rag.services import Rag

DONE, NOTHING_DONE, USAGE, PARTLY_DONE, STOPPED = 0, 1, 2, 3, 130
"""Exit codes. 130 is a second Ctrl-C, or one outside of ingest and reindex."""

app = typer.Typer(
    name="rag",
    help="Chat with your own documents; retrieval that is task-aware and measured.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Task = Annotated[str, typer.Option("--task", "-t", help="Retrieval task; `tasks` lists them.")]
OneTask = Annotated[str, typer.Option("--task", "-t", help="Only this task; all of them without it.")]


def main() -> None:
    """Run the command line; the exit code says how it went."""
    try:
        app(prog_name="rag")
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
    """End with one line on stderr."""
    sys.stderr.write(f"error: {' '.join(clean(message).split())}\n")
    sys.exit(code)


def _unexpected(exc: Exception) -> str:
    line = f"{type(exc).__name__}: {exc}"
    try:
        from rag.settings import load_settings

        folder = load_settings().data_dir
        folder.mkdir(parents=True, exist_ok=True)
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


@contextmanager
def opened() -> Iterator[Rag]:
    """The services, closed again at the end."""
    rag = make_rag()
    try:
        yield rag
    finally:
        rag.close()


def make_rag() -> Rag:
    """The services by the environment's settings; tests put their own here."""
    from rag.services import Rag

    return Rag()


def out() -> Console:
    """Standard output, without markup, emoji codes or guessed colours in what is printed."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else 200
    return Console(markup=False, emoji=False, highlight=False, width=width)


def say(text: str = "") -> None:
    """Print one text from anyone as it is, without its control characters."""
    sys.stdout.write(clean(text) + "\n")


def note(text: str) -> None:
    """One line on stderr."""
    sys.stderr.write(clean(text) + "\n")


def emit(value: Any) -> None:
    """Print JSON."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=_plain_value) + "\n")


def fields(record: Any) -> dict[str, Any]:
    """A dataclass as plain values for JSON."""
    from dataclasses import asdict

    return asdict(record)


def _plain_value(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def table(headers: list[str], rows: list[list[str]], right: tuple[int, ...] = ()) -> None:
    """Print a table of untrusted cells."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for at, header in enumerate(headers):
        grid.add_column(header, justify="right" if at in right else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(Text(clean(cell)) for cell in row))
    out().print(grid)


def checked_task(name: str) -> str:
    """The name, when there is such a task.

    Raises:
        UnknownNameError: Naming near matches.
    """
    from rag.tasks import get_task

    return get_task(name).name if name else ""


def command(target: typer.Typer, function: Callable[..., None]) -> None:
    """Register a command under the function's name."""
    target.command(name=function.__name__.removesuffix("_"))(function)
