"""`distxml`: the commands, and how an error reaches the user."""

import os
import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from distxml import __version__
from distxml.cli import data, evaluate, explain, report, settings, train, tune
from distxml.cli.printable import printable
from distxml.errors import UserError, reason_of
from distxml.signals import Interrupted

app = typer.Typer(
    name="distxml",
    help="Train image classifiers jointly with the network that explains them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    add_completion=False,
)
app.add_typer(data.app, name="data")
app.command(epilog=train.EXAMPLE)(train.train)
app.command(epilog=tune.EXAMPLE)(tune.tune)
app.command(epilog=evaluate.EXAMPLE)(evaluate.evaluate)
app.command(epilog=report.EXAMPLE)(report.report)
app.command(epilog=explain.EXAMPLE)(explain.explain)
app.command(epilog=settings.EXAMPLE)(settings.settings)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"distxml {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def run() -> None:
    """Console script: a `UserError` is printed as it is, exit status 2."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # paths may hold bytes that are no text, as on standard error
    try:
        app()
    except UserError as error:
        for line in str(error).split("\n"):
            _say(f"distxml: error: {printable(line)}")
        sys.exit(2)
    except Interrupted as interrupted:
        _say(f"distxml: {printable(str(interrupted))}")
        sys.exit(interrupted.status)
    except OSError as error:  # a disk or a name that the system refuses
        where = "" if error.filename is None else f"{printable(str(error.filename))[:200]}: "
        _say(f"distxml: error: {where}{reason_of(error)}")
        sys.exit(2)


def _say(text: str) -> None:
    """The last words; the exit status is right although they cannot be written, as where a full disk has the log."""
    try:
        print(text, file=sys.stderr, flush=True)
        sys.stdout.flush()
    except OSError:
        nowhere = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
        sys.stdout = sys.stderr = nowhere  # Python flushes both again when it ends
