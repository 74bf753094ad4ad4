"""`distxml settings`: what can be set, with types, defaults, bounds and meanings."""

import difflib
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel

    from distxml.config.describe import FieldDescription, Section

EXAMPLE = "Example: distxml settings loss.beta"
WIDTH = 110
HEADING = """# Settings

Every setting that a recipe, a dataset recipe or a sweep file may hold, read from the code:

```sh
distxml settings                # all of them
distxml settings loss           # a section
distxml settings loss.beta      # one setting
```

A recipe is YAML; on the command line any setting is `a.b=value`, items of a list by index. Unknown keys fail, and the
error names the nearest valid one. This page is made by `distxml settings --markdown`; a test holds it to the code.
"""


def settings(
    name: Annotated[
        str, typer.Argument(metavar="[A.B]", help="A setting or a section, such as loss.beta; all where left out.")
    ] = "",
    markdown: Annotated[bool, typer.Option("--markdown", help="Print docs/settings.md.")] = False,
) -> None:
    """Show what can be set: type, default, bounds and meaning of every setting."""
    typer.echo("\n".join(_markdown() if markdown else _text(name)))


def _trees() -> dict[str, type["BaseModel"]]:
    """What settings belong to, by the command that reads them."""
    from distxml.config import DatasetRecipe, Recipe
    from distxml.config.sweep import SweepSettings

    return {
        "a recipe (distxml train, distxml evaluate)": Recipe,
        "a dataset recipe (distxml data build)": DatasetRecipe,
        "a sweep file (distxml tune)": SweepSettings,
    }


def _text(name: str) -> Iterator[str]:
    from distxml.config.describe import find, names
    from distxml.errors import UserError

    found = {title: find(kind, name) for title, kind in _trees().items()}
    if not any(found.values()):
        known = sorted({known for kind in _trees().values() for known in names(kind)})
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
        raise UserError(f"setting {name!r}: there is no such setting; did you mean {near[0]}?")
    for title, sections in found.items():
        if sections:
            yield f"Of {title}:"
        for section in sections:
            yield from _section_text(section)


def _section_text(section: "Section") -> Iterator[str]:
    if section.name:
        yield from ("", f"[{section.name}]  {section.text}")
    for field in section.fields:
        yield from ("", f"  {field.name}", f"    {_summary(field)}")
        yield from textwrap.wrap(field.text, WIDTH, initial_indent="    ", subsequent_indent="    ")


def _summary(field: "FieldDescription") -> str:
    """Type, bounds and default on one line."""
    bounds = f", {field.bounds}" if field.bounds else ""
    default = field.default if field.default in ("required", "see its fields") else f"default {field.default}"
    return f"{field.type}{bounds}; {default}"


def _markdown() -> Iterator[str]:
    from distxml.config.describe import sections

    yield HEADING
    for title, kind in _trees().items():
        yield f"## Of {title}\n"
        for section in sections(kind):
            if section.name:
                yield f"### `{section.name}`\n\n{section.text}\n"
            yield "| setting | type | default | meaning |\n|---|---|---|---|"
            yield from (_row(field) for field in section.fields)
            yield ""


def _row(field: "FieldDescription") -> str:
    kind = field.type + (f", {field.bounds}" if field.bounds else "")
    cells = (f"`{field.name.rpartition('.')[2]}`", kind, f"`{field.default}`", field.text)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
