"""Registries: entries by name, added from outside, checked by settings that do not import them."""

from dataclasses import dataclass
from typing import Annotated

import pytest
from pydantic import ValidationError

from distxml.config.base import Settings
from distxml.registry import Address, NameIn, Registry, RegistryPart, load


@dataclass(frozen=True)
class Shape:
    name: str
    area: Address


def square(side: float) -> float:
    return side**2


SHAPES = Registry("shape", [Shape("square", f"{__name__}:square"), Shape("cube", lambda side: 6 * side**2)])


class Drawing(Settings):
    shapes: tuple[Annotated[str, NameIn(f"{__name__}:SHAPES")], ...] = ("square",)


def test_entries_by_name_in_their_order() -> None:
    assert SHAPES.names() == ("square", "cube") == tuple(shape.name for shape in SHAPES)
    assert [load(shape.area)(2) for shape in SHAPES] == [4, 24]


def test_settings_take_registered_names_only() -> None:
    assert Drawing(shapes=("cube", "square")).shapes == ("cube", "square")
    with pytest.raises(ValidationError, match=r"no such shape; did you mean square\? Valid: square, cube"):
        Drawing(shapes=("squre",))
    with pytest.raises(ValidationError, match="valid string"):
        Drawing.model_validate({"shapes": [3]})


def test_an_entry_from_outside_is_valid_from_then_on() -> None:
    SHAPES.add(Shape("dot", lambda side: 0))
    try:
        assert Drawing(shapes=("dot",)).shapes == ("dot",)
        assert Drawing.model_json_schema()["properties"]["shapes"]["items"]["enum"] == ["square", "cube", "dot"]
    finally:
        SHAPES.remove("dot")
    with pytest.raises(ValidationError, match="no such shape"):
        Drawing(shapes=("dot",))


def test_a_name_is_registered_once() -> None:
    with pytest.raises(ValueError, match="a shape square already"):
        SHAPES.add(Shape("square", square))


def test_an_empty_registry_says_so() -> None:
    with pytest.raises(ValueError, match="no such shape; none is registered"):
        Registry[Shape]("shape")["square"]


class Flat(Settings):
    shape: Annotated[str, NameIn(f"{__name__}:FLAT_SHAPES")] = "square"


FLAT_SHAPES = RegistryPart(SHAPES, "flat shape", lambda shape: shape.name != "cube")


def test_a_setting_may_take_a_part_of_a_registry() -> None:
    assert FLAT_SHAPES.names() == ("square",) == tuple(shape.name for shape in FLAT_SHAPES)
    with pytest.raises(ValidationError, match=r"no such flat shape; did you mean square\? Valid: square"):
        Flat(shape="cube")
