"""What an evaluation leaves behind, and how it is read back: a summary and three tables."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from distxml.config.load import validate_json_file
from distxml.errors import UserError
from distxml.evaluation.agreement import contradiction
from distxml.evaluation.summary import Summary
from distxml.evaluation.tables import CURVES_SCHEMA, HEATMAPS_SCHEMA, IMAGES_SCHEMA

SUMMARY_NAME = "summary.json"
TABLE_NAME = "summary.csv"
IMAGES_NAME = "images.parquet"
HEATMAPS_NAME = "heatmaps.parquet"
CURVES_NAME = "curves.parquet"


@dataclass(frozen=True)
class Results:
    """An evaluation; the tables have the schemas of `distxml.evaluation.tables`."""

    summary: Summary
    images: pa.Table
    heatmaps: pa.Table
    curves: pa.Table


def load_summary(folder: Path) -> Summary:
    """`summary.json` of an evaluation folder.

    Raises:
        UserError: there is none, or it is not one.
    """
    if not (folder / SUMMARY_NAME).is_file():
        raise UserError(f"evaluation {folder}: no {SUMMARY_NAME}; make it with `distxml evaluate RUN`")
    return validate_json_file(Summary, folder / SUMMARY_NAME, "run `distxml evaluate RUN` again")


def load_results(folder: Path) -> Results:
    """Everything in an evaluation folder (`RunFolder.evaluation`).

    Raises:
        UserError: a file is missing or damaged, or they do not belong together.
    """
    results = Results(
        summary=load_summary(folder),
        images=_read(folder / IMAGES_NAME, IMAGES_SCHEMA),
        heatmaps=_read(folder / HEATMAPS_NAME, HEATMAPS_SCHEMA),
        curves=_read(folder / CURVES_NAME, CURVES_SCHEMA),
    )
    reason = contradiction(results.summary, results.images, results.heatmaps, results.curves)
    if reason is not None:
        raise UserError(
            f"{folder}: not a whole evaluation of this version ({reason}); run `distxml evaluate RUN` again"
        )
    return results


def _read(path: Path, schema: pa.Schema) -> pa.Table:
    try:
        return pq.read_table(path).cast(schema)
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = str(error).split("\n")[0]
        raise UserError(f"{path}: cannot be read ({reason}); run `distxml evaluate RUN` again") from None
