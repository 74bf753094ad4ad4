"""What can be built from: the images that pass the check, without copies, and lists of the rest."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from distxml.config.images import ImageRules
from distxml.errors import UserError
from distxml.sources.building.copies import copies
from distxml.sources.building.rejected import write_converted, write_rejected
from distxml.sources.building.verdict import Verdict
from distxml.sources.material import Item, RawMaterial, Rejected

REASONS_SHOWN = 3
LONGEST_REASON = 80


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


def usable(material: RawMaterial, verdicts: Sequence[Verdict]) -> Usable:
    """The material without what cannot be used; `verdicts` are on all of its items, in their order."""
    passed = [verdict for verdict in verdicts if verdict.reason is None]
    candidates = [material.items[verdict.number] for verdict in passed]
    left_out = copies(candidates, [verdict.image for verdict in passed])
    kept = [place for place in range(len(passed)) if place not in left_out]
    rejected = [
        *material.rejected,
        *(Rejected(material.items[entry.number].name, entry.reason) for entry in verdicts if entry.reason is not None),
        *(Rejected(candidates[place].name, reason) for place, reason in left_out.items()),
    ]
    return Usable(
        [candidates[place] for place in kept],
        [passed[place].row for place in kept],
        rejected,
        [(candidates[place].name, remark) for place in kept if (remark := passed[place].remark) is not None],
    )


def require_enough(material: RawMaterial, found: Usable, rules: ImageRules, folder: Path) -> None:
    """Stop where too much is left out, or nothing or a single class is left; the list lies in `folder` then.

    What the source passed over while listing (a file that is no image, a class that the recipe does not name) is not
    counted: the recipe asked for that. A file that the source names and that is missing is.

    Raises:
        UserError: with the share, the limit and the commonest reasons.
    """
    missing = sum(entry.missing for entry in material.rejected)
    listed, left = len(material.items) + missing, len(found.items)
    share = 1 - left / listed if listed else 0.0
    if left and share > rules.most_left_out:
        where = found.write_lists(folder)
        raise UserError(
            f"{listed - left} of {listed} images ({share:.1%}) cannot be used, more than images.most_left_out="
            f"{rules.most_left_out:g}: {_commonest(material, found)}; all are listed in {where}; mend them, or raise "
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
    counts = Counter(reason.split(":")[0].split(" of ")[0][:LONGEST_REASON] for reason in new)
    shown = [f"{reason} ({number})" for reason, number in counts.most_common(REASONS_SHOWN)]
    return ", ".join(shown + (["..."] if len(counts) > REASONS_SHOWN else []))
