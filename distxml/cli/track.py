"""A progress bar for loops of commands."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

Element = TypeVar("Element")


def track_progress(elements: Sequence[Element], description: str) -> Iterable[Element]:
    """`elements`, with a progress bar on standard error where that is a terminal."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(elements, description, console=console, transient=True, disable=not console.is_terminal)
