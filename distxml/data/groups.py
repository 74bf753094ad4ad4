"""Which images belong together: those of one group (a patient). An image without a group stands by itself."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from distxml.data.schema import Dataset, Split
from distxml.errors import UserError

Numbers = NDArray[np.int64]


def group_numbers(groups: Iterable[str | None]) -> Numbers:
    """The number of each image's group: N, from 0 on in the order of first images.

    Args:
        groups: name of each image's group; None: it has none, and gets a number of its own.
    """
    numbers: dict[str | int, int] = {}
    return np.array(
        [numbers.setdefault(place if name is None else name, len(numbers)) for place, name in enumerate(groups)],
        np.int64,
    )


def count_groups(groups: Iterable[str | None]) -> int:
    """How many groups there are, an image without one counted as a group."""
    return int(group_numbers(groups).max(initial=-1)) + 1


def require_one_split(group: str | None, split: Split, split_of_group: dict[str, Split], dataset: Dataset) -> None:
    """Check that a group is in one split alone, as every builder of ours leaves it.

    Args:
        group: of an image of the split; None: it has none.
        split: that the image is in.
        split_of_group: of the groups seen so far; `group` is added.
        dataset: for the message.

    Raises:
        UserError: an earlier image of the group was in another split.
    """
    if group is not None and split_of_group.setdefault(group, split) != split:
        raise UserError(
            f"dataset {dataset.folder}: images of the group {group!r} are in {split_of_group[group]} and in {split}, "
            "so that its scores are too good; build the dataset again"
        )
