"""Settings in words: nothing is left out, and what is printed is what validation does."""

from pathlib import Path
from typing import Literal

import pytest
from pydantic import Field
from typer.testing import CliRunner

from distxml.cli.main import app
from distxml.config import DatasetRecipe, Recipe
from distxml.config.base import Settings
from distxml.config.describe import find, sections
from distxml.config.evaluation import Fill
from distxml.config.load import override_settings
from distxml.config.sweep import SweepSettings
from distxml.errors import UserError
from distxml.evaluation.perturbation.fills import FILLS

DOCS = Path(__file__).parents[3] / "docs"
TREES = (Recipe, DatasetRecipe, SweepSettings)


class Inner(Settings):
    """What is inside."""

    share: float = Field(default=0.5, gt=0, le=1)
    """A share."""


class Example(Settings):
    """An example."""

    size: int = Field(ge=1)
    """Pixels."""
    mode: Literal["fast", "right"] | None = None
    """How."""
    sizes: tuple[int, ...] = (1, 2)
    """Several."""
    fills: tuple[Fill, ...] = ("gray",)
    """Names in a registry."""
    inner: Inner = Inner(share=0.25)
    """The part."""
    named: dict[str, Inner] = Field(default={})
    """Parts by name."""


def test_an_example_is_described_field_by_field():
    root, inner, named = sections(Example)
    described = {field.name: (field.type, field.bounds, field.default, field.text) for field in root.fields}
    assert described == {
        "size": ("integer", "≥ 1", "required", "Pixels."),
        "mode": ("fast | right | unset", "", "unset", "How."),
        "sizes": ("list of integer", "", "[1, 2]", "Several."),
        "fills": (f"list of {' | '.join(FILLS.names())}", "", "[gray]", "Names in a registry."),
        "inner": ("section", "", "see its fields", "The part."),
        "named": ("mapping of text to section", "", "{}", "Parts by name."),
    }
    share = ("number", "> 0 and ≤ 1", "A share.")
    assert [(f.name, f.type, f.bounds, f.text, f.default) for f in inner.fields] == [("inner.share", *share, "0.25")]
    assert [(f.name, f.type, f.bounds, f.text, f.default) for f in named.fields] == [
        ("named.NAME.share", *share, "0.5")
    ]


@pytest.mark.parametrize("kind", TREES)
def test_every_field_of_every_model_says_what_it_means(kind):
    silent = [field.name for section in sections(kind) for field in section.fields if not field.text]
    assert [name for name in silent if not name.endswith(".kind")] == []


def test_bounds_are_those_of_validation():
    (section,) = find(Recipe, "loss.beta")
    assert section.fields[0].bounds == "≥ 0 and ≤ 1"
    recipe = Recipe.model_validate({"dataset": {"path": "d"}, "run": {"name": "r"}})
    for value in ("0", "1"):
        override_settings(recipe, [f"loss.beta={value}"], "test")
    for value in ("-0.01", "1.01"):
        with pytest.raises(UserError):
            override_settings(recipe, [f"loss.beta={value}"], "test")


def test_the_page_is_what_the_code_says():
    printed = CliRunner().invoke(app, ["settings", "--markdown"]).output
    assert (DOCS / "settings.md").read_text() == printed, "distxml settings --markdown > docs/settings.md"


def test_the_command_shows_one_setting_a_section_or_all():
    def shown(*name: str) -> str:
        result = CliRunner().invoke(app, ["settings", *name])
        assert result.exit_code == 0
        return result.output

    assert "loss.beta" in shown("loss.beta") and "loss.gamma" not in shown("loss.beta")
    assert "loss.gamma" in shown("loss")
    every = shown()
    assert all(field.name in every for kind in TREES for section in sections(kind) for field in section.fields)


def test_a_name_that_is_none_is_refused_with_the_nearest():
    error = CliRunner().invoke(app, ["settings", "losss.beta"]).exception
    assert isinstance(error, UserError) and "did you mean loss.beta?" in str(error)
