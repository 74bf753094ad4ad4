"""The one-file HTML report of a sweep."""

from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from distxml import __version__
from distxml.config import Recipe, to_yaml
from distxml.config.sweep import SweepSettings
from distxml.config.sweep.sweep import Parameters
from distxml.errors import UserError
from distxml.report.figure import Picture
from distxml.report.html_page import environment, write_page
from distxml.report.sweep.figures import (
    NOT_SET,
    SettingAxis,
    Values,
    history_figure,
    importance_figure,
    parallel_coordinates,
    plane_figure,
    setting_axis,
    slice_figure,
)
from distxml.report.sweep.heatmaps import HeatmapTable, heatmap_table
from distxml.tuning.importance import importances
from distxml.tuning.objective import Objective
from distxml.tuning.records import SweepFolder, TrialRecord, searched_names
from distxml.tuning.results import best_trials, saved_line, settings_in_words

TEMPLATE_NAME = "sweep.html.j2"


@dataclass(frozen=True)
class _Sweep:
    """A sweep as its folder has it; `best`: its best trial, or the trials of its front."""

    folder: SweepFolder
    settings: SweepSettings
    base: Recipe
    records: list[TrialRecord]
    objective: Objective
    best: list[TrialRecord]

    @property
    def parameters(self) -> Parameters:
        """Of all steps."""
        return {name: each for step in self.settings.all_steps for name, each in step.items()}


@dataclass(frozen=True)
class _Figures:
    """What could be drawn; importance and slices with the name of what they explain."""

    parallel: Picture | None = None
    history: Picture | None = None
    importance: list[tuple[str, Picture]] = field(default_factory=list)
    slices: list[tuple[str, list[Picture]]] = field(default_factory=list)
    planes: list[Picture] = field(default_factory=list)


def write_sweep_report(folder: SweepFolder) -> Path:
    """Write `report.html` into the sweep's folder, in one step.

    Raises:
        UserError: this is no sweep, or one of its files is damaged.
    """
    sweep = _read(folder)
    heatmaps, no_heatmaps = _heatmaps(sweep)
    html = (
        environment()
        .get_template(TEMPLATE_NAME)
        .render(
            version=__version__,
            sweep=sweep.settings,
            objective=sweep.objective.in_words(),
            several=sweep.objective.settings.is_multiple,
            names=sweep.objective.settings.names,
            parameters={name: each.in_words() for name, each in sweep.parameters.items()},
            records=_ranked(sweep.records),
            best=[record.number for record in sweep.best],
            in_words=settings_in_words,
            saved=saved_line(sweep.records),
            seconds=sum(record.seconds for record in sweep.records),
            figures=_draw(sweep),
            heatmaps=heatmaps,
            no_heatmaps=no_heatmaps,
            settings=to_yaml(sweep.base),
        )
    )
    write_page(folder.report, html)
    return folder.report


def _read(folder: SweepFolder) -> _Sweep:
    settings, records = folder.sweep(), folder.load()
    objective = Objective(settings.objective)
    return _Sweep(folder, settings, folder.base_recipe(), records, objective, best_trials(records, objective))


def _heatmaps(sweep: _Sweep) -> tuple[HeatmapTable | None, str]:
    """The heatmaps, or why there are none: a report is of use where the images no longer are."""
    if not sweep.best:
        return None, "no trial has finished"
    try:
        return heatmap_table(sweep.folder, sweep.base, sweep.best), ""
    except UserError as error:
        return None, str(error)


def _draw(sweep: _Sweep) -> _Figures:
    objective, parameters = sweep.objective, sweep.parameters
    shown = [one for one in sweep.records if one.status != "failed" and objective.score(one.metrics) is not None]
    if not shown:
        return _Figures()
    axes = _axes(parameters, shown)
    numbers = [record.number for record in shown]
    top = [numbers.index(record.number) for record in sweep.best]
    explained = _explained(shown, objective)
    scored, score = explained[0]
    importance = [(name, _importances(parameters, shown, values)) for name, values in explained]
    return _Figures(
        parallel=parallel_coordinates(axes, score, top, scored) if axes else None,
        history=history_figure(numbers, score, scored),
        importance=[(name, importance_figure(found)) for name, found in importance if found],
        slices=[(name, [slice_figure(axis, values, top, name) for axis in axes]) for name, values in explained],
        planes=_planes(shown, top, objective),
    )


def _explained(shown: list[TrialRecord], objective: Objective) -> list[tuple[str, Values]]:
    """What figures explain: the score, or each of several objectives, more being better.

    What missing a limit costs would flatten the figures: where some trials keep the limits, the others have no
    score."""
    scored = [value for record in shown if (value := objective.score(record.metrics)) is not None]
    if not objective.settings.is_multiple:
        kept = any(value.violation == 0 for value in scored)
        scores = [np.nan if kept and value.violation > 0 else value.score for value in scored]
        return [("score", np.array(scores))]
    goals = objective.settings.metrics.items()
    return [
        (name if goal.goal == "max" else f"minus {name}", np.array([value.values[place] for value in scored]))
        for place, (name, goal) in enumerate(goals)
    ]


def _importances(parameters: Parameters, shown: list[TrialRecord], values: Values) -> dict[str, float]:
    """Only trials that have finished count."""
    finished = [
        (record, float(value))
        for record, value in zip(shown, values, strict=True)
        if record.status == "finished" and np.isfinite(value)
    ]
    return importances(parameters, finished)


def _axes(parameters: Parameters, shown: list[TrialRecord]) -> list[SettingAxis]:
    """Of the settings that differ between trials."""
    columns: dict[str, list[Any]] = {
        name: [record.settings.get(name, NOT_SET) for record in shown] for name in searched_names(shown)
    }
    varied = {name: values for name, values in columns.items() if len({str(value) for value in values}) > 1}
    return [setting_axis(name, parameters.get(name), values) for name, values in varied.items()]


def _planes(shown: list[TrialRecord], top: list[int], objective: Objective) -> list[Picture]:
    """Every pair of the objective's metrics."""
    numbers = [record.number for record in shown]
    columns = {name: np.array([record.metrics[name] for record in shown]) for name in objective.settings.metrics}
    return [plane_figure(columns[x], columns[y], (x, y), numbers, top) for x, y in combinations(columns, 2)]


def _ranked(records: list[TrialRecord]) -> list[TrialRecord]:
    order = {"finished": 0, "stopped": 1, "running": 2, "failed": 3}
    return sorted(records, key=lambda r: (order[r.status], -(r.score if r.score is not None else -np.inf), r.number))
