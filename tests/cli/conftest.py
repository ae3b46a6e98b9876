"""Commands in this process, with a small model, on an empty data folder."""

import pytest
from typer.testing import CliRunner

from rag.cli import Shell, app
from tests.cli.driver import make_rag

GUIDE = """# Warranty

The warranty lasts two years. It covers the motor.

# Cleaning

Clean the filter every month with warm water.
"""


@pytest.fixture
def run():
    """Runs a command; `code` 2 is usage, other errors come out as in `main`."""

    def call(*args, code=0, stdin=None, **surroundings):
        shell = Shell(make_rag=make_rag, **surroundings)
        result = CliRunner().invoke(app, [str(arg) for arg in args], input=stdin, obj=shell)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result

    return call


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "guide.md").write_text(GUIDE)
    (folder / "other.txt").write_text("Bananas are yellow and grow in bunches.")
    return folder


@pytest.fixture
def library(run, folder):
    run("ingest", folder)
    return folder
