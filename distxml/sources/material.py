"""`RawMaterial`: what every source hands to the builder."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

Element = TypeVar("Element")


@dataclass(frozen=True)
class Row:
    """One row of the dataset, encoded.

    Attributes:
        key: unique name.
        label: index into the classes.
        image: bytes of the image file.
        image_name: name of the image file.
        mask: bytes of a PNG, 255 inside the region of interest and 0 outside; None where nothing was annotated.
    """

    key: str
    label: int
    image: bytes
    image_name: str
    mask: bytes | None


class Item(Protocol):
    """An image that will be in the dataset; cheap to hold, encoded only when `row` is called."""

    @property
    def key(self) -> str:
        """Unique name."""
        ...

    @property
    def label(self) -> int:
        """Index into the classes."""
        ...

    def row(self) -> Row:
        """Reads or draws the image."""
        ...


@dataclass(frozen=True)
class Rejected:
    """A file that was left out, and why."""

    file: str
    reason: str


@dataclass(frozen=True)
class RawMaterial:
    """The images of a source: classes in label order, what is in, and what was left out."""

    classes: tuple[str, ...]
    items: Sequence[Item]
    rejected: Sequence[Rejected] = ()


class Track(Protocol):
    """Shows progress while something is iterated over."""

    def __call__(self, elements: Sequence[Element], description: str) -> Iterable[Element]:
        """`elements`, one after the other."""
        ...


def untracked(elements: Sequence[Element], description: str) -> Iterable[Element]:
    """`elements`, showing nothing."""
    del description
    return elements
