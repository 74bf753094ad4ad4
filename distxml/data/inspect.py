"""Looks into a Parquet dataset: counts, sizes, masks, and whether the files are as they were built."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from distxml.data.groups import count_groups, require_one_split
from distxml.data.left_out import count_left_out
from distxml.data.reader import SplitReader
from distxml.data.rows import MASK_THRESHOLD, Row, decode_pixels
from distxml.data.schema import METADATA_NAME, SPLITS, Dataset, Split
from distxml.digest import digest_of
from distxml.errors import UserError

FORMATS = ("JPEG", "PNG")
"""What images of a dataset may be; Pillow reads more, some of it by running programs."""

EXAMPLES = 6
"""Rows per class that are kept for the contact sheet."""


def verified_rows(dataset: Dataset, split: Split) -> Iterator[Row]:
    """The rows of a split in reading order; one row group in memory at a time.

    Raises:
        UserError: a shard is not the file that was built, byte for byte.
    """
    reader = SplitReader(dataset, split)
    for shard in reader.shards:
        found = reader.files.digest(shard)
        if found != shard.sha256:
            difference = f"(SHA-256 {found[:12]}..., not {shard.sha256[:12]}...)"
            raise reader.files.unusable(shard, f"this shard was changed after it was built {difference}")
    reader.index()
    yield from reader.rows(0, len(reader))


@dataclass
class Inspection:
    """What a dataset holds.

    Attributes:
        left_out: files left out when the dataset was built; None where that was not recorded.
        widths, heights: pixels, one entry per image.
        coverage: share of the image that its mask covers, one entry per annotated image.
        copies: keys of two images that are equal bit for bit and are in different splits.
        examples: a few rows per label.
    """

    left_out: int | None
    widths: list[int] = field(default_factory=list)
    heights: list[int] = field(default_factory=list)
    coverage: list[float] = field(default_factory=list)
    copies: list[tuple[str, str]] = field(default_factory=list)
    examples: dict[int, list[Row]] = field(default_factory=dict)

    @property
    def empty_masks(self) -> int:
        """Annotated images without a region of interest."""
        return sum(share == 0 for share in self.coverage)


def inspect_dataset(dataset: Dataset, track: Callable[[Sequence[Split], str], Iterable[Split]]) -> Inspection:
    """Reads every row once.

    Raises:
        UserError: a shard was changed, or its rows contradict `dataset.json` or each other.
    """
    inspection = Inspection(count_left_out(dataset.folder))
    first_seen: dict[str, tuple[Split, str]] = {}
    keys: set[str] = set()
    split_of_group: dict[str, Split] = {}
    for split in track(SPLITS, "reading"):
        counts: Counter[int] = Counter()
        groups: list[str | None] = []
        for row in verified_rows(dataset, split):
            _require_new_key(row.key, keys, dataset)
            require_one_split(row.group, split, split_of_group, dataset)
            counts[row.label] += 1
            groups.append(row.group)
            _look_at(row, inspection)
            first_split, first_key = first_seen.setdefault(digest_of(row.image), (split, row.key))
            if first_split != split:
                inspection.copies.append((first_key, row.key))
        _check_counts(dataset, split, counts)
        _check_groups(dataset, split, groups)
    return inspection


def mask_pixels(row: Row, height: int, width: int) -> NDArray[np.bool_]:
    """A row's mask, H×W, True inside.

    Raises:
        UserError: it does not decode or has another size than the image.
    """
    name = f"mask of {row.key}"
    pixels = decode_pixels(row.mask or b"", cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION, name)
    if pixels.shape != (height, width):
        raise UserError(f"{name}: not an image of {width}x{height} pixels; build the dataset again")
    return np.asarray(pixels > MASK_THRESHOLD)


def image_size(row: Row) -> tuple[int, int]:
    """Width and height, from the file's header.

    Raises:
        UserError: it is not an image.
    """
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(BytesIO(row.image), formats=FORMATS) as image:
            return image.size
    except MemoryError:
        raise
    except Exception:  # decoders raise all kinds of errors on broken files, and one on absurd dimensions
        raise UserError(f"image {row.key}: does not decode as an image; build the dataset again") from None


def _look_at(row: Row, inspection: Inspection) -> None:
    width, height = image_size(row)
    inspection.widths.append(width)
    inspection.heights.append(height)
    if row.mask is not None:
        inspection.coverage.append(float(mask_pixels(row, height, width).mean()))
    examples = inspection.examples.setdefault(row.label, [])
    if len(examples) < EXAMPLES:
        examples.append(row)


def _require_new_key(key: str, keys: set[str], dataset: Dataset) -> None:
    if key in keys:
        raise UserError(f"dataset {dataset.folder}: two rows have the key {key!r}; build the dataset again")
    keys.add(key)


def _check_groups(dataset: Dataset, split: Split, found: Sequence[str | None]) -> None:
    stated = dataset.metadata.groups
    grouped = any(group is not None for group in found)
    right = not grouped if stated is None else count_groups(found) == stated[split]
    if not right:
        said = "none" if stated is None else stated[split]
        raise UserError(
            f"{dataset.folder.file(METADATA_NAME)}: groups of {split} are {said}, but the shards hold "
            f"{count_groups(found)}; build the dataset again"
        )


def _check_counts(dataset: Dataset, split: Split, found: Counter[int]) -> None:
    stated = {label: dataset.metadata.counts[split][name] for label, name in enumerate(dataset.metadata.classes)}
    if found != Counter(stated):
        raise UserError(
            f"{dataset.folder.file(METADATA_NAME)}: counts of {split} are {stated}, but the shards hold {dict(found)}; "
            "build the dataset again"
        )
