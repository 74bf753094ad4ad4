"""Settings of the polygons source."""

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from distxml.config.base import Settings
from distxml.config.sources.polygon_figures import CIRCLE, MAX_VERTICES, Figure, figure_of, figures_between

GAP = 1.0
"""Pixels between two shapes."""
DENSEST = 0.9069
"""Share of a plane that equal circles can cover without overlap; smaller ones between them are left out of account."""
ROOM_INSIDE = 1.25
"""Radius of the room inside an outer polygon, in units of the largest reach of what it may enclose."""
FAINT = 0.1
"""Two colours that differ by less in every channel cannot be told apart."""
DARKEST, LIGHTEST = 0.0, 0.25
"""Range of a random background."""


def _figure(value: Any) -> Any:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(figure_of(str(value))) if is_number or isinstance(value, str) else value


def _range(value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return (value, value) if is_number else value


FigureText = Annotated[str, BeforeValidator(_figure)]
IntRange = Annotated[tuple[int, int], BeforeValidator(_range)]
FloatRange = Annotated[tuple[float, float], BeforeValidator(_range)]
Channel = Annotated[float, Field(ge=0, le=1)]
Colour = tuple[Channel, Channel, Channel]


class PolygonsSource(Settings):
    """Synthetic images of polygons and circles; the positive ones hold a target among them, its box is the mask."""

    kind: Literal["polygons"]
    images: int = Field(default=1000, ge=1)
    """Images to draw."""
    start_index: int = Field(default=0, ge=0)
    """Number of the first image: continue where another dataset of the same seed stops."""
    image_size: int = Field(default=64, ge=16)
    """Height and width in pixels."""
    target: FigureText = "3/1"
    """The figure that is looked for: `circle`, or `p/q`, such as 3/1 (triangle), 4/1 (square), 5/2 (pentagram)."""
    outer: FigureText | None = None
    """A figure, drawn as a line, that must enclose the target for it to count; a negative image has both, apart."""
    simplified: bool = True
    """Nothing but circles beside the target; false: every polygon and star of `vertices` too."""
    targets: int | Literal["random"] | None = None
    """How many images are positive; `random`: each by chance `positive_share`; unset: exactly that share."""
    positive_share: float = Field(default=0.5, ge=0, le=1)
    """Share (rounded) or chance of positive images; without meaning where `targets` is a number."""
    shapes: IntRange = (3, 5)
    """Shapes per image, all counted: a number, or the fewest and most."""
    vertices: IntRange = (3, 8)
    """Fewest and most vertices of the other shapes; without meaning where `simplified`."""
    circles: bool = True
    """Whether circles are among the other shapes."""
    radius: FloatRange = (0.08, 0.14)
    """Smallest and largest radius of a circle, as a share of the image's side; other shapes have a circle's area."""
    overlap: bool = False
    """Whether shapes may overlap; the target is on top, and an outer polygon is never overlapped."""
    occlusion: bool = False
    """Whether the border may cut shapes off, up to their centre; never an outer polygon and what it encloses."""
    rotation: bool = True
    """Turn each shape at random; false: a vertex points up."""
    noise: float = Field(default=0.03, ge=0, le=1)
    """Standard deviation of Gaussian noise, in units of the full range [0, 1]."""
    background: Colour | None = None
    """Red, green, blue, each in [0, 1]; unset: dark, at random for each image."""
    target_colour: Colour | None = None
    """Colour of every target, which then tells it apart; unset: at random, as for any other shape."""
    mask: Literal["box", "polygon"] = "box"
    """The region of interest: the target's bounding box or the target itself; of the outer polygon, if there is one."""

    @property
    def others(self) -> tuple[Figure, ...]:
        """The figures that the shapes beside the target (and the outer polygon) are chosen from."""
        found = [CIRCLE] if self.circles else []
        if not self.simplified:
            found += figures_between(*self.vertices)
        return tuple(figure for figure in found if str(figure) != self.target)

    @property
    def line(self) -> float:
        """Width in pixels of the line that an outer polygon is drawn with."""
        return max(1.0, 0.02 * self.image_size)

    def outer_reach(self, radius: float) -> float:
        """Circumradius of an outer polygon that has room for any shape of the area of a circle; all in pixels."""
        assert self.outer is not None
        largest = max(figure.spread for figure in (*self.others, figure_of(self.target)))
        return (radius * largest * ROOM_INSIDE + GAP + self.line) / figure_of(self.outer).core

    @model_validator(mode="after")
    def _numbers(self) -> "PolygonsSource":
        for name, (low, high) in (("shapes", self.shapes), ("radius", self.radius), ("vertices", self.vertices)):
            if not 0 <= low <= high:
                raise ValueError(f"{name}: [{low}, {high}] is not a range of non-negative numbers")
        if isinstance(self.targets, int) and not 0 <= self.targets <= self.images:
            raise ValueError(f"targets: {self.targets} is not between 0 and the {self.images} images")
        if self.radius[0] * self.image_size < 1:
            raise ValueError(f"radius: {self.radius[0]} of {self.image_size} pixels is less than one pixel")
        if not 0 < self.radius[1] <= 0.25:
            raise ValueError(f"radius: {self.radius[1]} must be above 0 and at most 0.25 of the image's side")
        return self

    @model_validator(mode="after")
    def _figures(self) -> "PolygonsSource":
        if self.simplified and self.outer is not None:
            raise ValueError("outer: a simplified dataset has no outer polygon; set simplified=false, or no outer")
        if self.simplified and self.target == "circle":
            raise ValueError("target: a circle among circles is no target; name a polygon, or set simplified=false")
        if not self.simplified and not 3 <= self.vertices[0] <= self.vertices[1] <= MAX_VERTICES:
            raise ValueError(f"vertices: {list(self.vertices)} must lie within 3 and {MAX_VERTICES}")
        if not self.others:
            raise ValueError(
                "circles: no other shape is left; set circles=true, or simplified=false and wider vertices"
            )
        fewest = 1 if self.outer is None else 3
        if self.shapes[0] < fewest:
            why = "the target" if self.outer is None else "an outer polygon, what it encloses, and a shape outside it"
            raise ValueError(f"shapes: the fewest must be at least {fewest}, for {why}")
        return self

    @model_validator(mode="after")
    def _room(self) -> "PolygonsSource":
        side = self.image_size
        if self.outer is not None and 2 * self.outer_reach(self.radius[1] * side) > side:
            room = self.radius[1] * side / (self.outer_reach(self.radius[1] * side) - self.outer_reach(0))
            most = max(0.0, (side / 2 - self.outer_reach(0)) * room / side)
            raise ValueError(
                f"radius: an outer {self.outer} around a shape of radius {self.radius[1]} is larger than the image; "
                f"at most {most:.3f} has room"
            )
        apart = 0 if self.overlap else self.shapes[0]
        least = apart * math.pi * (self.radius[0] * side + GAP / 2) ** 2
        if not self.occlusion and least > DENSEST * (side + GAP) ** 2:
            raise ValueError(
                f"shapes: {self.shapes[0]} of radius {self.radius[0]} do not fit without overlap; "
                "set overlap=true, fewer shapes or a smaller radius"
            )
        return self

    @model_validator(mode="after")
    def _colours(self) -> "PolygonsSource":
        if self.target_colour is None:
            return self
        behind = self.background or (LIGHTEST,) * 3
        faint = [abs(one - other) < FAINT for one, other in zip(self.target_colour, behind, strict=True)]
        if self.background is None:
            faint = [channel < LIGHTEST + FAINT for channel in self.target_colour]
        if all(faint):
            raise ValueError(f"target_colour: {list(self.target_colour)} does not stand out from the background")
        return self
