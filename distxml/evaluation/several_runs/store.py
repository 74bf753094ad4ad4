"""`several_runs.json` and its table in the first run's folder: written whole, read back unless a run has changed."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from distxml.checksums import SUMS_NAME, noted_sum
from distxml.config.load import validate_json_file
from distxml.config.recipe import Recipe
from distxml.config.run_folder import RunFolder
from distxml.digest import file_digest
from distxml.errors import UserError, reason_of
from distxml.evaluation.results import SUMMARY_NAME
from distxml.evaluation.several_runs.record import FigureOverRuns, ScoredRun, SeveralRuns
from distxml.evaluation.summary import ScoredModel
from distxml.files import present_folder, write_whole
from distxml.models.checkpoint import WEIGHTS_NAME
from distxml.storage.beside import place_beside, run_beside

COLUMNS = (
    "kind",
    "name",
    "method",
    "other",
    "order",
    "patch_size",
    "fill",
    "value",
    "spread",
    "low",
    "high",
    "p",
    "primary",
    "runs",
    "images",
    "groups",
)
"""One column per run follows, `run_1` and so on; a column that does not apply is empty."""


def store_several(several: SeveralRuns, run: RunFolder) -> None:
    """Write both files into the first run's folder, the one that is read back last.

    Raises:
        UserError: the disk does not take them.
    """
    text = io.StringIO(newline="")
    writer: csv.DictWriter[str] = csv.DictWriter(text, [*COLUMNS, *_run_columns(several)], extrasaction="ignore")
    writer.writeheader()
    writer.writerows(flat(several))
    try:
        write_whole(run.several_runs_table, text.getvalue())
        write_whole(run.several_runs, several.model_dump_json(indent=2) + "\n")
    except OSError as error:
        raise UserError(
            f"{run.several_runs}: cannot be written ({reason_of(error)}); make room and run again"
        ) from None
    run.publish(run.several_runs, run.several_runs_table)
    run.upload(run.several_runs, run.several_runs_table)


def load_several(run: RunFolder) -> SeveralRuns | None:
    """What `store_several` has written; None where there is nothing.

    Raises:
        UserError: the file is damaged, or one of the runs has changed since.
    """
    if not run.several_runs.is_file():
        return None
    remedy = "run `distxml evaluate RUN RUN RUN` again"
    several = validate_json_file(SeveralRuns, run.several_runs, remedy)
    for one in several.runs:
        if reason := _changed(one, run):
            raise UserError(f"{run.several_runs}: run {one.folder} {reason} since it was written; {remedy}")
    return several


def scored_run(run: RunFolder, first: RunFolder, recipe: Recipe, scored: ScoredModel) -> ScoredRun:
    """What is noted of a run that has just been evaluated.

    Args:
        run: the run.
        first: the one whose folder will hold the note.
        recipe: of the run.
        scored: which of its models was scored.

    Raises:
        OSError: its evaluation cannot be read.
    """
    return ScoredRun(
        folder=place_beside(run, first),
        name=recipe.run.name,
        seed=recipe.run.seed,
        checkpoint=scored.checkpoint,
        sha256=scored.sha256,
        explainer_checkpoint=scored.explainer_checkpoint,
        explainer_sha256=scored.explainer_sha256,
        summary_sha256=file_digest(present_folder(run.evaluation) / SUMMARY_NAME),
    )


def _changed(noted: ScoredRun, first: RunFolder) -> str | None:
    """What has changed; None where all is as it was."""
    try:
        with run_beside(first, noted.folder) as run:
            return _difference(noted, run)
    except (OSError, UserError):
        return "was moved or removed, or parts of it were,"


def _difference(noted: ScoredRun, run: RunFolder) -> str | None:
    run.fetch(run.evaluation, SUMMARY_NAME)
    if file_digest(present_folder(run.evaluation) / SUMMARY_NAME) != noted.summary_sha256:
        return "was evaluated again"
    for checkpoint, sha256 in ((noted.checkpoint, noted.sha256), (noted.explainer_checkpoint, noted.explainer_sha256)):
        run.fetch(run.path / checkpoint, SUMS_NAME)
        if noted_sum(run.path / checkpoint, WEIGHTS_NAME) != sha256:
            return "has got other weights"
    return None


def flat(several: SeveralRuns) -> Iterator[dict[str, Any]]:
    """Every run, then every number, some of `COLUMNS` each; kinds: run (its value is the seed), metric, heatmap, aopc,
    aopc_overall, comparison."""
    for run, column in zip(several.runs, _run_columns(several), strict=True):
        yield {"kind": "run", "name": run.folder, "value": run.seed, column: run.sha256}
    kinds = {
        "metric": several.metrics,
        "heatmap": several.heatmaps,
        "aopc": several.aopc,
        "aopc_overall": several.aopc_overall,
        "comparison": several.comparisons,
    }
    names = {"aopc": "aopc", "aopc_overall": "aopc", "comparison": "aopc_difference"}
    for kind, rows in kinds.items():
        for row in rows:
            yield _line(several, row, kind, names.get(kind))
    if under := several.primary_under_other_gate:
        yield _line(several, under.comparison, "comparison", f"aopc_difference_{under.f}")


def _line(several: SeveralRuns, row: FigureOverRuns, kind: str, name: str | None) -> dict[str, Any]:
    """`name` is None where the row has its own."""
    own = dict(zip(_run_columns(several), row.of_runs, strict=True))
    first = {"kind": kind, "name": name, "runs": len(several.runs)}
    return first | row.model_dump(exclude={"of_runs"}) | own


def _run_columns(several: SeveralRuns) -> list[str]:
    return [f"run_{number}" for number, _ in enumerate(several.runs, 1)]
