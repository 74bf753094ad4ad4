"""The report of a run: one HTML file, and its figures as files of their own."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from distxml.config.phases import PhaseName
from distxml.config.recipe import Recipe
from distxml.config.run_folder import RunFolder
from distxml.data.rows import Sample
from distxml.errors import UserError
from distxml.evaluation.results import SUMMARY_NAME, Results, load_results
from distxml.files import present_folder
from distxml.report.figure import Plate
from distxml.report.figures.all import Figures, draw_figures
from distxml.report.figures.export import INDEX_NAME, write_figures
from distxml.report.figures.heatmaps import heatmap_figure
from distxml.report.gallery import Gallery, build_gallery
from distxml.report.heatmap_grid import HeatmapGrid, SampleProgress, build_heatmap_grid
from distxml.report.html_page import Content, render, write_page
from distxml.report.scored_run import open_run
from distxml.report.several_runs import open_several
from distxml.report.training_log import TrainingLog, read_training_log


@dataclass(frozen=True)
class Written:
    """The report's file, the folder of its figures (None where nothing could be drawn), and what is missing."""

    path: Path
    figures: Path | None
    notices: list[str]


@dataclass(frozen=True)
class _Heatmaps:
    """Pictures made with the model, or why there are none: a report is of use where the images no longer are."""

    gallery: Gallery | None = None
    grid: HeatmapGrid | None = None
    missing: str = ""


def untracked(samples: Sequence[Sample], description: str) -> Iterable[Sample]:
    """Shows nothing."""
    del description
    return samples


def write_report(run: RunFolder, track: SampleProgress = untracked) -> Written:
    """Write the folder of figures and then `report.html` into the run's folder, each in one step.

    Raises:
        UserError: this is no run, one of its files is damaged, or the folder cannot be written.
    """
    content = read_content(run, track)
    figures = draw_figures(content.log, content.results)
    html = render(content, figures)
    folder = _write_figures(run, content.results, _plates(figures, content.grid))
    write_page(run.report, html)
    run.upload(run.figures, run.report)
    return Written(run.report, folder, content.notices)


def read_content(run: RunFolder, track: SampleProgress = untracked) -> Content:
    """All that the page shows but its figures.

    Raises:
        UserError: this is no run, or one of its files is damaged.
    """
    recipe = run.recipe()
    log = read_training_log(run.metrics)
    for path in (run.evaluation, run.several_runs):
        run.fetch(path)
    evaluation = present_folder(run.evaluation)
    results = load_results(evaluation) if (evaluation / SUMMARY_NAME).is_file() else None
    heatmaps = _heatmaps(run, recipe, results, track)
    several, stale = open_several(run)
    notices = [*_notices(run, log, results, heatmaps.missing), *stale]
    return Content(run, recipe, log, results, heatmaps.gallery, heatmaps.grid, notices, several)


def _heatmaps(run: RunFolder, recipe: Recipe, results: Results | None, track: SampleProgress) -> _Heatmaps:
    try:
        scored_run = open_run(run, recipe, results)
        grid = build_heatmap_grid(scored_run, recipe, results, track) if results else None
        return _Heatmaps(build_gallery(scored_run, recipe, results), grid)
    except UserError as error:
        return _Heatmaps(missing=str(error))


def _notices(run: RunFolder, log: TrainingLog, results: Results | None, no_heatmaps: str) -> list[str]:
    notices = []
    if not run.finished.is_file():
        done = len({end.phase for end in log.ends})
        notices.append(f"Training has not finished: {done} of {len(PhaseName)} phases are complete.")
    if results is None:
        notices.append(f"Not evaluated yet: run `{_command(run)}`, then make the report again.")
    elif not results.summary.scored.training_finished:
        notices.append("The model was scored before its training had finished.")
    if no_heatmaps:
        notices.append(f"No gallery: {no_heatmaps}.")
    return notices


def _command(run: RunFolder) -> str:
    return f"distxml evaluate {shlex.quote(str(run))}"


def _plates(figures: Figures, grid: HeatmapGrid | None) -> list[Plate]:
    plates = [drawn.plate for drawn in figures]
    return plates if grid is None else [*plates, heatmap_figure(grid)]


def _write_figures(run: RunFolder, results: Results | None, plates: list[Plate]) -> Path | None:
    """The folder of figures; None where there are none and an earlier report left none."""
    if not plates and not (run.figures / INDEX_NAME).is_file():
        return None
    write_figures(plates, run.figures, results.summary.scored.sha256 if results else None)
    return run.figures
