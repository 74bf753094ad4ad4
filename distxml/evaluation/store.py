"""Results onto the disk: complete or not at all."""

import csv
import os
import shutil
from pathlib import Path

import pyarrow.parquet as pq

from distxml.errors import UserError
from distxml.evaluation.flat_summary import COLUMNS, flat
from distxml.evaluation.results import CURVES_NAME, HEATMAPS_NAME, IMAGES_NAME, SUMMARY_NAME, TABLE_NAME, Results


def require_writable(folder: Path) -> None:
    """Check before the work that its results can be written.

    Raises:
        UserError: `folder` is a file, or the run's folder may not be written.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: is a file where the results belong; move it away")
    if not os.access(folder.parent, os.W_OK | os.X_OK):
        raise UserError(f"{folder.parent}: may not be written; change its permissions or copy the run")


def store(results: Results, folder: Path) -> None:
    """Write an evaluation beside `folder`, then put it in its place; an earlier one is replaced, or stays on failure.

    Raises:
        UserError: the disk does not take it.
    """
    new, old = folder.with_name(f".{folder.name}-new"), folder.with_name(f".{folder.name}-old")
    try:
        _clean_up(new, old, folder)
        new.mkdir(parents=True)
        _write(results, new)
        _swap(new, old, folder)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror or error}); make room and run again") from None
    finally:
        shutil.rmtree(new, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def _clean_up(new: Path, old: Path, folder: Path) -> None:
    """What an evaluation that was killed left behind; between its two renames the earlier results were `old`."""
    if old.exists() and not folder.exists():
        old.rename(folder)
    for leftover in (new, old):
        shutil.rmtree(leftover, ignore_errors=True)


def _swap(new: Path, old: Path, folder: Path) -> None:
    if folder.exists():
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise


def _write(results: Results, folder: Path) -> None:
    pq.write_table(results.images, folder / IMAGES_NAME)
    pq.write_table(results.heatmaps, folder / HEATMAPS_NAME)
    pq.write_table(results.curves, folder / CURVES_NAME)
    with (folder / TABLE_NAME).open("w", newline="", encoding="utf-8") as file:
        writer: csv.DictWriter[str] = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(flat(results.summary))
    (folder / SUMMARY_NAME).write_text(results.summary.model_dump_json(indent=2) + "\n", encoding="utf-8")
