"""What can be built from: the images that pass the check, without copies, and lists of the rest."""

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from distxml.config.images import ImageRules
from distxml.data.left_out import CONVERTED_NAME, REJECTED_NAME
from distxml.data.schema import Split
from distxml.errors import UserError
from distxml.sources.building.journal import CheckedItem
from distxml.sources.material import Item, RawMaterial, Rejected

MAX_NAMES = 5

REASONS_SHOWN = 3

MAX_REASON = 80


FIRST_KEPT: tuple[Split | None, ...] = ("test", "val", "train", None)
"""Of copies in several splits of a published division, which stays: the one that is scored, as others score it."""


@dataclass(frozen=True)
class Usable:
    """The images of a source after their check.

    Attributes:
        items: what will be in the dataset.
        digests: of their rows, as they were checked; empty where there was nothing to check.
        rejected: what is left out, and why.
        remarks: names of images that are in, and what was done to them.
    """

    items: Sequence[Item]
    digests: Sequence[str]
    rejected: Sequence[Rejected]
    remarks: Sequence[tuple[str, str]] = ()

    def write_lists(self, folder: Path) -> Path:
        """Writes both lists; the path of the list of what is left out."""
        write_converted(self.remarks, folder)
        return write_rejected(self.rejected, folder)


def usable(material: RawMaterial, checked: Sequence[CheckedItem]) -> Usable:
    """The material without what cannot be used; `checked` is about all of its items, in their order."""
    passed = [one for one in checked if one.reason is None]
    candidates = [material.items[one.number] for one in passed]
    left_out = copies(candidates, [one.image for one in passed])
    kept = [place for place in range(len(passed)) if place not in left_out]
    rejected = [
        *material.rejected,
        *(Rejected(material.items[entry.number].name, entry.reason) for entry in checked if entry.reason is not None),
        *(Rejected(candidates[place].name, reason) for place, reason in left_out.items()),
    ]
    return Usable(
        [candidates[place] for place in kept],
        [passed[place].row for place in kept],
        rejected,
        [(candidates[place].name, remark) for place in kept if (remark := passed[place].remark) is not None],
    )


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
        shown = ", ".join(items[number].name for number in numbers[:MAX_NAMES])
        more = f" and {len(numbers) - MAX_NAMES} more" if len(numbers) > MAX_NAMES else ""
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


def require_enough(material: RawMaterial, found: Usable, rules: ImageRules, folder: Path) -> None:
    """Stop where too much is left out, or nothing or a single class is left; the list lies in `folder` then.

    What the source passed over while listing (a file that is no image, a class that the recipe does not name) is not
    counted: the recipe asked for that. A file that the source names and that is missing is.

    Args:
        material: all of it.
        found: what is left of it.
        rules: hold the limit.
        folder: where the lists are written if the build stops.

    Raises:
        UserError: with the share, the limit and the commonest reasons.
    """
    missing = sum(entry.missing for entry in material.rejected)
    listed, left = len(material.items) + missing, len(found.items)
    share = 1 - left / listed if listed else 0.0
    if left and share > rules.max_left_out:
        where = found.write_lists(folder)
        raise UserError(
            f"{listed - left} of {listed} images ({share:.1%}) cannot be used, more than images.max_left_out="
            f"{rules.max_left_out:g}: {_commonest(material, found)}; all are listed in {where}; mend them, or raise "
            "the limit"
        )
    if not left:
        where = found.write_lists(folder)
        example = found.rejected[0] if found.rejected else Rejected("the source", "no images")
        raise UserError(
            f"no image is left to build from: {len(found.rejected)} left out, such as {example.file} "
            f"({example.reason}); all are listed in {where}; mend the raw material or the recipe's source"
        )
    if len(material.classes) == 1:
        raise UserError(f"the only class is {material.classes[0]!r}; a classifier needs two, add images of another")


def _commonest(material: RawMaterial, found: Usable) -> str:
    """Reasons are told apart by how they begin: what follows is about the one file."""
    checked = found.rejected[len(material.rejected) :]
    new = [entry.reason for entry in (*checked, *(entry for entry in material.rejected if entry.missing))]
    counts = Counter(reason.split(":")[0].split(" of ")[0][:MAX_REASON] for reason in new)
    shown = [f"{reason} ({number})" for reason, number in counts.most_common(REASONS_SHOWN)]
    return ", ".join(shown + (["..."] if len(counts) > REASONS_SHOWN else []))


def write_rejected(rejected: Iterable[Rejected], folder: Path) -> Path:
    """Columns `file` and `reason`; the header alone where nothing was left out. The path of the list."""
    return _write(folder / REJECTED_NAME, "reason", ((entry.file, entry.reason) for entry in rejected))


def write_converted(remarks: Iterable[tuple[str, str]], folder: Path) -> Path:
    """Columns `file` and `remark`: images that are in, but not quite as their files are. The path of the list."""
    return _write(folder / CONVERTED_NAME, "remark", remarks)


def _write(path: Path, column: str, rows: Iterable[tuple[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", column])
        writer.writerows(sorted(rows))
    return path
