"""Areas of curves and what follows from them, row by row in plain Python. A row is a dict with the table's columns."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

Row = dict[str, Any]
OfImages = dict[str, float]
"""A number by the image's key."""


def aopc(f: Sequence[float]) -> float:
    """Mean drop over the points of a curve."""
    return sum(f[0] - value for value in f) / len(f)


def aopc_over_share(f: Sequence[float], share: Sequence[float], limit: float) -> float:
    """Mean drop over the share of the image that is replaced, read off the straight lines between the points."""
    ends = sorted({*(one for one in share if one < limit), min(limit, share[-1])})

    def drop(at: float) -> float:
        for (left, high), (right, low) in pairwise(zip(share, f, strict=True)):
            if left <= at <= right:
                return f[0] - (high + (low - high) * (at - left) / (right - left))
        raise ValueError(at)

    return sum((right - left) * (drop(left) + drop(right)) / 2 for left, right in pairwise(ends)) / ends[-1]


def auc(f: Sequence[float], order: str) -> float:
    """Deletion AUC of MoRF; insertion AUC of LeRF, read from its end; a trapezoid a patch."""
    curve = list(f) if order == "morf" else list(reversed(f))
    patches = len(curve) - 1
    return sum((left + right) / 2 / patches for left, right in pairwise(curve))


def curves(rows: Sequence[Row], method: str, order: str, size: int | None = None, fill: str | None = None) -> list[Row]:
    """The rows of a method, at a setting or at all; the random order counts in both directions."""
    return [
        row
        for row in rows
        if row["method"] == method
        and (row["order"] == order or method == "random")
        and size in (None, row["patch_size"])
        and fill in (None, row["fill"])
    ]


def mean_of_images(rows: Sequence[Row]) -> OfImages:
    """AOPC of each image, its mean where it has several curves; images in the order of their keys."""
    found: dict[str, list[float]] = {}
    for row in sorted(rows, key=lambda row: row["key"]):
        found.setdefault(row["key"], []).append(aopc(row["f"]))
    return {key: sum(values) / len(values) for key, values in found.items()}


def minus(own: OfImages, other: OfImages) -> OfImages:
    """Image by image."""
    assert own.keys() == other.keys()
    return {key: own[key] - other[key] for key in own}


def wins(differences: OfImages, order: str) -> float:
    """Share of the images that are better, equal ones (to a millionth) half; LeRF is better where it is lower."""
    total = 0.0
    for difference in differences.values():
        better = difference > 1e-6 if order == "morf" else difference < -1e-6
        total += 1.0 if better else 0.5 if abs(difference) <= 1e-6 else 0.0
    return total / len(differences)
