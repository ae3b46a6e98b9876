from dataclasses import dataclass
from typing import Annotated

import typer
from typer.testing import CliRunner

from rag.cli import Shell
from rag.cli.command import flattened


@dataclass(frozen=True)
class Paint:
    colour: Annotated[str, typer.Argument(help="Any colour.")]
    coats: Annotated[int, typer.Option("--coats", "-c")] = 1


def paint(surroundings: Shell, chosen: Paint, wet: bool = False) -> None:
    """Paint the wall."""
    typer.echo(f"{chosen} {wet} {surroundings.make_rag()}")


def run(*args):
    app = typer.Typer()
    app.command()(flattened(paint))
    return CliRunner().invoke(app, args, obj=Shell(make_rag=lambda: "rag"))


def test_a_group_of_options_reaches_the_command_as_one_value():
    assert run("blue", "-c", "2", "--wet").stdout == "Paint(colour='blue', coats=2) True rag\n"


def test_its_fields_have_their_defaults_and_their_help():
    assert run("blue").stdout == "Paint(colour='blue', coats=1) False rag\n"
    text = run("--help").stdout
    assert all(words in text for words in ("Paint the wall.", "Any colour.", "--coats"))
    assert run().exit_code == 2
