"""The one-file HTML report of a sweep."""

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from distxml import __version__
from distxml.config import to_yaml
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
class _Figures:
    parallel: Picture | None
    history: Picture | None
    importance: list[tuple[str, Picture]]
    slices: list[tuple[str, list[Picture]]]
    planes: list[Picture]


def write_sweep_report(folder: SweepFolder) -> Path:
    """Write `report.html` into the sweep's folder, in one step.

    Raises:
        UserError: this is no sweep, or one of its files is damaged.
    """
    sweep, base, records = folder.sweep(), folder.base_recipe(), folder.load()
    objective = Objective(sweep.objective)
    best = best_trials(records, objective)
    parameters = {name: each for step in sweep.all_steps for name, each in step.items()}
    heatmaps, no_heatmaps = _heatmaps(folder, records, best)
    html = (
        environment()
        .get_template(TEMPLATE_NAME)
        .render(
            version=__version__,
            sweep=sweep,
            objective=objective.in_words(),
            several=objective.settings.is_multiple,
            names=objective.settings.names,
            parameters={name: each.in_words() for name, each in parameters.items()},
            records=_ranked(records),
            best=[record.number for record in best],
            in_words=settings_in_words,
            saved=saved_line(records),
            seconds=sum(record.seconds for record in records),
            figures=_figures(parameters, records, best, objective),
            heatmaps=heatmaps,
            no_heatmaps=no_heatmaps,
            settings=to_yaml(base),
        )
    )
    write_page(folder.report, html)
    return folder.report


def _heatmaps(
    folder: SweepFolder, records: list[TrialRecord], best: list[TrialRecord]
) -> tuple[HeatmapTable | None, str]:
    """The heatmaps, or why there are none: a report is of use where the images no longer are."""
    if not best:
        return None, "no trial has finished"
    try:
        return heatmap_table(folder, folder.base_recipe(), best), ""
    except UserError as error:
        return None, str(error)


def _figures(
    parameters: Parameters, records: list[TrialRecord], best: list[TrialRecord], objective: Objective
) -> _Figures:
    shown = [record for record in records if objective.score(record.metrics) is not None and record.status != "failed"]
    if not shown:
        return _Figures(None, None, [], [], [])
    axes = _axes(parameters, shown)
    numbers = [record.number for record in shown]
    top = [numbers.index(record.number) for record in best]
    explained = _explained(shown, objective)
    scored, score = explained[0]
    importance = []
    for name, values in explained:
        finished = [(one, float(value)) for one, value in zip(shown, values, strict=True) if one.status == "finished"]
        found = importances(parameters, [(record, value) for record, value in finished if np.isfinite(value)])
        importance += [(name, importance_figure(found))] if found else []
    return _Figures(
        parallel=parallel_coordinates(axes, score, top, scored) if axes else None,
        history=history_figure(numbers, score, scored),
        importance=importance,
        slices=[(name, [slice_figure(axis, values, top, name) for axis in axes]) for name, values in explained],
        planes=_planes(shown, top, objective),
    )


def _explained(shown: list[TrialRecord], objective: Objective) -> list[tuple[str, Values]]:
    """What figures explain: the score, or each of several objectives, more being better.

    What missing a limit costs would flatten the figures: where some trials keep the limits, the others have no
    score."""
    found = [objective.score(record.metrics) for record in shown]
    whole = [value for value in found if value is not None]
    if not objective.settings.is_multiple:
        kept = any(value.violation == 0 for value in whole)
        scores = [np.nan if kept and value.violation > 0 else value.score for value in whole]
        return [("score", np.array(scores))]
    goals = objective.settings.metrics.items()
    return [
        (name if goal.goal == "max" else f"minus {name}", np.array([value.values[place] for value in whole]))
        for place, (name, goal) in enumerate(goals)
    ]


def _axes(parameters: Parameters, shown: list[TrialRecord]) -> list[SettingAxis]:
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
