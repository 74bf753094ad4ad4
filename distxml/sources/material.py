"""`RawMaterial`: what every source hands to the builder."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from distxml.config.images import ImageRules
from distxml.data.schema import Split

Element = TypeVar("Element")


class Unusable(Exception):
    """An image that must be left out; the message is the reason."""


class Missing(Unusable):
    """A file that the source names is not there."""


@dataclass(frozen=True)
class SourceRow:
    """One row of the dataset, encoded, as a source gives it.

    Attributes:
        key: unique name.
        label: index into the classes.
        image: bytes of the image file.
        image_name: name of the image file.
        mask: bytes of a PNG, 255 inside the region of interest and 0 outside; None where nothing was annotated.
        remark: what was done to the image, where its bytes are not those of the file.
        group: see `Item`.
    """

    key: str
    label: int
    image: bytes
    image_name: str
    mask: bytes | None
    remark: str | None = None
    group: str | None = None


class Item(Protocol):
    """An image that may be in the dataset; cheap to hold and to send to another process.

    Only `row` reads the image. It is called more than once, in any process, and gives the same row each time.
    """

    @property
    def key(self) -> str:
        """Unique name."""
        ...

    @property
    def label(self) -> int:
        """Index into the classes."""
        ...

    @property
    def name(self) -> str:
        """What the user calls it, for lists and messages: the file's path below the source's folder."""
        ...

    @property
    def group(self) -> str | None:
        """Images of one group (a patient) never come into different splits; None: on its own."""
        ...

    @property
    def split(self) -> Split | None:
        """The split that the source puts it in; None: the recipe's shares decide."""
        ...

    def row(self, rules: ImageRules) -> SourceRow:
        """Reads or draws the image and its mask.

        Raises:
            Unusable: it must be left out.
            UserError: the build must stop.
        """
        ...


@dataclass(frozen=True)
class Rejected:
    """A file that was left out, and why.

    Attributes:
        file: what the user calls it.
        reason: in words.
        missing: whether the source names it and it is not there; that counts as an image that cannot be used.
    """

    file: str
    reason: str
    missing: bool = False


@dataclass(frozen=True)
class RawMaterial:
    """The images of a source, listed but not yet read.

    Attributes:
        classes: names in label order.
        items: what may be in.
        rejected: what was left out while listing.
        drawn: whether the images are made by distxml, so that there is nothing to check.
    """

    classes: tuple[str, ...]
    items: Sequence[Item]
    rejected: Sequence[Rejected] = ()
    drawn: bool = False


class Track(Protocol):
    """Shows progress while something is iterated over."""

    def __call__(self, elements: Sequence[Element], description: str) -> Iterable[Element]:
        """`elements`, one after the other."""
        ...


def untracked(elements: Sequence[Element], description: str) -> Iterable[Element]:
    """`elements`, showing nothing."""
    del description
    return elements
