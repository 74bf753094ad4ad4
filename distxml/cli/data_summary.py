"""What `distxml data` prints about a dataset."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from rich.markup import escape
from rich.table import Table

from distxml.cli.printable import printable
from distxml.data.left_out import CONVERTED_NAME, REJECTED_NAME, count_converted, count_left_out
from distxml.data.location import Location
from distxml.data.schema import SPLITS, Dataset, DatasetMetadata

if TYPE_CHECKING:
    from distxml.data.inspect import Inspection

MAX_COPIES_SHOWN = 5


def counts_table(metadata: DatasetMetadata) -> Table:
    """Images per class and split."""
    table = Table(title=escape(metadata.name))
    table.add_column("class")
    for column in (*SPLITS, "all"):
        table.add_column(column, justify="right")
    for name in metadata.classes:
        numbers = [metadata.counts[split][name] for split in SPLITS]
        table.add_row(escape(name), *map(str, [*numbers, sum(numbers)]))
    totals = [metadata.rows(split) for split in SPLITS]
    table.add_section()
    table.add_row("all", *map(str, [*totals, sum(totals)]))
    if metadata.groups is not None:
        groups = [metadata.groups[split] for split in SPLITS]
        table.add_row("groups", *map(str, [*groups, sum(groups)]))
    return table


def departures(folder: Location) -> list[str]:
    """How many files were left out or converted when the dataset was built, and where they are listed."""
    return [
        _listed("Left out", "file(s)", "reasons", count_left_out(folder), folder.file(REJECTED_NAME)),
        _listed("Converted", "image(s)", "remarks", count_converted(folder), folder.file(CONVERTED_NAME)),
    ]


def _listed(what: str, things: str, why: str, number: int | None, path: str) -> str:
    if number is None:
        return f"{what}: not recorded (no {path})"
    return f"{what}: {number} {things}, listed with the {why} in {path}" if number else f"{what}: none"


def facts(inspection: "Inspection", dataset: Dataset) -> list[str]:
    """Sizes, masks and checks, one line each."""
    images, annotated = len(inspection.widths), len(inspection.coverage)
    lines = [
        f"Shards: {len(dataset.metadata.shards)}, all checksums right",
        f"Width in pixels: {_spread(inspection.widths, '.0f')}",
        f"Height in pixels: {_spread(inspection.heights, '.0f')}",
        f"Annotated: {annotated} of {images} images, {inspection.empty_masks} of them with an empty mask",
    ]
    if annotated:
        lines.append(f"Share of an annotated image inside its mask: {_spread(inspection.coverage, '.1%')}")
    return [*lines, *copies_warning(inspection.copies), *departures(dataset.folder)]


def copies_warning(copies: Sequence[tuple[str, str]]) -> list[str]:
    """A warning where images that are equal bit for bit are in different splits, or nothing."""
    if not copies:
        return []
    shown = ", ".join(f"{printable(one)} = {printable(other)}" for one, other in copies[:MAX_COPIES_SHOWN])
    more = f" and {len(copies) - MAX_COPIES_SHOWN} more" if len(copies) > MAX_COPIES_SHOWN else ""
    return [
        f"WARNING: {len(copies)} image(s) are bit-for-bit copies of one in another split, so scores on val and test "
        f"are too good: {shown}{more}. Remove one of each pair from the raw material and build again."
    ]


def _spread(values: Sequence[float], form: str) -> str:
    return f"{min(values):{form}} min, {np.median(values):{form}} median, {max(values):{form}} max"
