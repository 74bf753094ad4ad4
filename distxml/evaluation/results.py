"""The results of an evaluation on disk, a summary and three tables: written whole, read back, checked to agree."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from distxml.checksums import damage_of_files, note_sums
from distxml.config.load import validate_json_file
from distxml.errors import UserError, reason_of
from distxml.evaluation.flat_summary import COLUMNS, flat
from distxml.evaluation.statistics.columns import encoded, list_lengths, row_grid
from distxml.evaluation.summary import Summary
from distxml.evaluation.tables import CURVES_SCHEMA, HEATMAPS_SCHEMA, IMAGES_SCHEMA
from distxml.files import present_folder, whole_folder

ROUNDING = 1e-9
"""Sums of the same numbers in another order differ by less."""

SUMMARY_NAME = "summary.json"

TABLE_NAME = "summary.csv"

IMAGES_NAME = "images.parquet"

HEATMAPS_NAME = "heatmaps.parquet"

CURVES_NAME = "curves.parquet"

REMEDY = "run `distxml evaluate RUN` again"


def contradiction(summary: Summary, images: pa.Table, heatmaps: pa.Table, curves: pa.Table) -> str | None:
    """The first thing in which the tables are not what the summary says of them; None where all agrees.

    Args:
        summary: of the same evaluation.
        images: one row per image.
        heatmaps: one row per image and method.
        curves: one row per perturbation curve.
    """
    checks = chain(
        _of_images(summary, images), _of_heatmaps(summary, images, heatmaps), _of_curves(summary, images, curves)
    )
    return next(checks, None)


def _of_images(summary: Summary, images: pa.Table) -> Iterator[str]:
    classes, keys = len(summary.classes), len(images["key"].unique())
    if images.num_rows != summary.images or keys != summary.images:
        yield f"the summary is of {summary.images} images, but the table of images holds {keys}"
    if images.num_rows - images["pompom"].null_count != summary.annotated:
        yield f"not {summary.annotated} images have a POMPOM"
    for column in ("label", "predicted"):
        if not _are_classes(images[column], classes):
            yield f"images: a {column} is not among the {classes} classes"
    if (list_lengths(images["probabilities"]) != classes).any():
        yield f"images: there are not {classes} probabilities"
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (images["label"].to_numpy(), images["predicted"].to_numpy()), 1)
    if counts.tolist() != [list(row) for row in summary.confusion]:
        yield "images: labels and predictions are not those of the summary's confusion"


def _of_heatmaps(summary: Summary, images: pa.Table, heatmaps: pa.Table) -> Iterator[str]:
    methods = list(dict.fromkeys(row.method for row in summary.aopc if row.method != "random"))
    yield from _of_rows("heatmaps", summary, images, heatmaps, len(methods))
    try:
        grid = row_grid(heatmaps, ("method",), [(method,) for method in methods], _perturbed(summary))
    except ValueError:
        yield "the heatmaps are not those of the summary's methods, each once per image"
        return
    for row in summary.heatmaps:
        values = pc.fill_null(heatmaps[row.name], np.nan).to_numpy()[grid[methods.index(row.method)]]
        found = values[~np.isnan(values)]
        if len(found) != row.images or not _is_mean(row.value, found):
            yield f"heatmaps: the {row.name} of {row.method} is not the summary's"


def _of_curves(summary: Summary, images: pa.Table, curves: pa.Table) -> Iterator[str]:
    yield from _of_rows("curves", summary, images, curves, len(summary.aopc))
    for column in ("f", "share"):
        if (list_lengths(curves[column]) != curves["steps"].to_numpy() + 1).any():
            yield f"curves: {column} does not have one value per step, and one for the unperturbed image"
    columns = ("method", "patch_size", "order", "fill", "steps")
    places = [(row.method, row.patch_size, row.order, row.fill, row.steps) for row in summary.aopc]
    try:
        grid = row_grid(curves, columns, places, _perturbed(summary))
    except ValueError:
        yield "the curves are not those of the summary's methods, patch sizes, orders and fills, each once per image"
        return
    aopc = curves["aopc"].to_numpy()
    for row, place, rows in zip(summary.aopc, places, grid, strict=True):
        if not _is_mean(row.aopc, aopc[rows]):
            yield f"curves: the AOPC of {', '.join(map(str, place[:-1]))} is not the summary's"


def _of_rows(name: str, summary: Summary, images: pa.Table, rows: pa.Table, settings: int) -> Iterator[str]:
    """What holds of heatmaps and of curves."""
    if rows.num_rows != summary.curve_images * settings:
        yield f"not {summary.curve_images * settings} {name}, but {rows.num_rows}"
    if len(rows["key"].unique()) != (summary.curve_images if settings else 0):
        yield f"not {summary.curve_images} images have {name}"
    for column in ("label", "target"):
        if not _are_classes(rows[column], len(summary.classes)):
            yield f"{name}: a {column} is not among the {len(summary.classes)} classes"
    label_of_key = dict(zip(images["key"].to_pylist(), images["label"].to_pylist(), strict=True))
    keys, key_of_row = encoded(rows["key"])
    labels = np.array([label_of_key.get(key, -1) for key in keys], np.int64)
    if (labels < 0).any():
        yield f"{name}: a key is of no image"
    if (rows["label"].to_numpy() != labels[key_of_row]).any():
        yield f"{name}: a label is not its image's"


def _perturbed(summary: Summary) -> int:
    return summary.curve_images if summary.aopc else 0


def _are_classes(column: pa.ChunkedArray, classes: int) -> bool:
    values = column.to_numpy()
    return bool(((values >= 0) & (values < classes)).all())


def _is_mean(stated: float | None, values: NDArray[np.float64]) -> bool:
    if stated is None or not len(values):
        return stated is None and not len(values)
    return bool(np.isclose(stated, values.mean(), rtol=ROUNDING, atol=ROUNDING))


@dataclass(frozen=True)
class Results:
    """An evaluation; the tables have the schemas of `distxml.evaluation.tables`."""

    summary: Summary
    images: pa.Table
    heatmaps: pa.Table
    curves: pa.Table


def load_summary(folder: Path) -> Summary:
    """`summary.json` of an evaluation folder, wherever a crash while it was replaced may have left it.

    Raises:
        UserError: there is none, or it is not one.
    """
    path = present_folder(folder) / SUMMARY_NAME
    if not path.is_file():
        raise UserError(f"evaluation {folder}: no {SUMMARY_NAME}; make it with `distxml evaluate RUN`")
    summary = validate_json_file(Summary, path, REMEDY)
    _require_undamaged(path.parent, SUMMARY_NAME)
    return summary


def load_results(folder: Path) -> Results:
    """Everything in an evaluation folder (`RunFolder.evaluation`), wherever a crash may have left it.

    Raises:
        UserError: a file is missing or damaged, or they do not belong together.
    """
    folder = present_folder(folder)
    results = Results(
        summary=load_summary(folder),
        images=_read(folder / IMAGES_NAME, IMAGES_SCHEMA),
        heatmaps=_read(folder / HEATMAPS_NAME, HEATMAPS_SCHEMA),
        curves=_read(folder / CURVES_NAME, CURVES_SCHEMA),
    )
    reason = contradiction(results.summary, results.images, results.heatmaps, results.curves)
    if reason is not None:
        raise UserError(f"{folder}: not a whole evaluation of this version ({reason}); {REMEDY}")
    _require_undamaged(folder, IMAGES_NAME, HEATMAPS_NAME, CURVES_NAME)
    return results


def _require_undamaged(folder: Path, *names: str) -> None:
    """Last of all: what an earlier version wrote, or what is no table, is told in clearer words before."""
    damage = damage_of_files(folder, names)
    if damage is not None:
        raise UserError(f"{folder}: {damage}; {REMEDY}")


def _read(path: Path, schema: pa.Schema) -> pa.Table:
    try:
        return pq.read_table(path).cast(schema)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise UserError(f"{path}: cannot be read ({reason_of(error)}); {REMEDY}") from None


def store(results: Results, folder: Path) -> None:
    """Write an evaluation beside `folder`, then put it in its place; an earlier one is replaced, or stays on failure.

    Raises:
        UserError: the disk does not take it.
    """
    try:
        with whole_folder(folder) as fresh:
            _write(results, fresh)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({reason_of(error)}); make room and run again") from None


def _write(results: Results, folder: Path) -> None:
    pq.write_table(results.images, folder / IMAGES_NAME)
    pq.write_table(results.heatmaps, folder / HEATMAPS_NAME)
    pq.write_table(results.curves, folder / CURVES_NAME)
    with (folder / TABLE_NAME).open("w", newline="", encoding="utf-8") as file:
        writer: csv.DictWriter[str] = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(flat(results.summary))
    (folder / SUMMARY_NAME).write_text(results.summary.model_dump_json(indent=2) + "\n", encoding="utf-8")
    note_sums(folder)
