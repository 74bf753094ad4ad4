"""Images that are equal bit for bit: a copy in another split would be trained on and scored."""

from collections.abc import Sequence

from distxml.data.schema import Split
from distxml.sources.material import Item

MOST_NAMES = 5

FIRST_KEPT: tuple[Split | None, ...] = ("test", "val", "train", None)
"""Of copies in several splits of a published division, which stays: the one that is scored, as others score it."""


def copies(items: Sequence[Item], images: Sequence[str]) -> dict[int, str]:
    """Which items to leave out, by their number, and why; `images` are the images' checksums.

    One of each set of copies stays: in the split that is first in `FIRST_KEPT`, then the first in order. Where copies
    have different classes, none of them stays: nobody can say which class is right.
    """
    same: dict[str, list[int]] = {}
    for number, image in enumerate(images):
        same.setdefault(image, []).append(number)
    return {number: reason for numbers in same.values() for number, reason in _reasons(numbers, items).items()}


def _reasons(numbers: list[int], items: Sequence[Item]) -> dict[int, str]:
    if len({items[number].label for number in numbers}) > 1:
        shown = ", ".join(items[number].name for number in numbers[:MOST_NAMES])
        more = f" and {len(numbers) - MOST_NAMES} more" if len(numbers) > MOST_NAMES else ""
        return dict.fromkeys(numbers, f"equal files of different classes: {shown}{more}")
    kept, *others = sorted(numbers, key=lambda number: (FIRST_KEPT.index(items[number].split), number))
    return {number: _copy_of(items[kept], items[number]) for number in others}


def _copy_of(kept: Item, other: Item) -> str:
    reason = f"a bit-for-bit copy of {kept.name}"
    if kept.group != other.group:
        reason += f", but of group {other.group or 'none'}, not {kept.group or 'none'}"
    if kept.split != other.split:
        reason += f", but of split {other.split or 'none'}, not {kept.split or 'none'}"
    return reason
