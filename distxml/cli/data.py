"""`distxml data`: build and inspect datasets."""

import typer

app = typer.Typer(help="Build and inspect datasets.", no_args_is_help=True)
