"""Whether the files of an evaluation belong together: tables that hold what the summary says."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


@dataclass(frozen=True)
class Stated:
    """What a summary says of its tables.

    Attributes:
        images: rows of the images.
        annotated: those with a mask.
        classes: how many there are.
        curve_images: images that have curves.
        curve_sets: method, patch size, fill and steps of the curves that each of them has.
    """

    images: int
    annotated: int
    classes: int
    curve_images: int
    curve_sets: frozenset[tuple[str, int, str, int]]


def contradiction(stated: Stated, images: pa.Table, curves: pa.Table) -> str | None:
    """The first thing in which the tables (schemas of `results`) are not what was stated; None where all agrees."""
    found = next(_of_images(stated, images), None)
    return found or next(_of_curves(stated, images, curves), None)


def _of_images(stated: Stated, images: pa.Table) -> Iterator[str]:
    if images.num_rows != stated.images or _distinct(images) != stated.images:
        yield f"the summary is of {stated.images} images, but the table of images holds {_distinct(images)}"
    if images.num_rows - images["pompom"].null_count != stated.annotated:
        yield f"not {stated.annotated} images have a POMPOM"
    for column in ("label", "predicted"):
        if not _are_classes(images[column], stated.classes):
            yield f"images: a {column} is not among the {stated.classes} classes"
    if not (_lengths(images["probabilities"]) == stated.classes).all():
        yield f"images: there are not {stated.classes} probabilities"


def _of_curves(stated: Stated, images: pa.Table, curves: pa.Table) -> Iterator[str]:
    if curves.num_rows != stated.curve_images * len(stated.curve_sets):
        yield f"not {stated.curve_images * len(stated.curve_sets)} curves, but {curves.num_rows}"
    names = [curves[column].to_pylist() for column in ("method", "patch_size", "fill", "steps")]
    counts = Counter(zip(*names, strict=True))
    if counts != Counter(dict.fromkeys(stated.curve_sets, stated.curve_images)):
        yield "the curves are not those of the summary's methods, patch sizes and fills"
    if _distinct(curves) != (stated.curve_images if stated.curve_sets else 0):
        yield f"not {stated.curve_images} images have curves"
    if not set(curves["key"].to_pylist()) <= set(images["key"].to_pylist()):
        yield "a curve is of no image"
    for column in ("label", "target"):
        if not _are_classes(curves[column], stated.classes):
            yield f"curves: a {column} is not among the {stated.classes} classes"
    if not (_lengths(curves["f"]) == curves["steps"].to_numpy() + 1).all():
        yield "curves: an f does not have a value a step"


def _distinct(table: pa.Table) -> int:
    return len(set(table["key"].to_pylist()))


def _are_classes(column: pa.ChunkedArray, classes: int) -> bool:
    values = column.to_numpy()
    return bool(((values >= 0) & (values < classes)).all())


def _lengths(lists: pa.ChunkedArray) -> NDArray[np.int64]:
    return np.array([len(values) for values in lists.to_pylist()], np.int64)
