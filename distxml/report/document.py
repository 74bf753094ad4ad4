"""The one-file HTML report of a run."""

import json
import os
import shlex
from dataclasses import dataclass
from pathlib import Path

import jinja2
from markupsafe import Markup

from distxml import __version__
from distxml.config import to_yaml
from distxml.config.recipe import Recipe
from distxml.config.run_folder import RunFolder
from distxml.errors import UserError
from distxml.evaluation.results import SUMMARY_NAME, Results, load_results
from distxml.report import scores, wording
from distxml.report.evaluation_figures import (
    class_look,
    method_look,
    method_name,
    morf_panels,
    precision_recall_figure,
    roc_figure,
)
from distxml.report.figure import THEME, Picture
from distxml.report.gallery import Gallery, build_gallery
from distxml.report.training_figures import LEGEND, training_figures
from distxml.report.training_log import TrainingLog, read_training_log

HERE = Path(__file__).parent
TEMPLATE_NAME = "template.html.j2"


@dataclass(frozen=True)
class Written:
    """The report's file, and what is missing from it."""

    path: Path
    notices: list[str]


def write_report(run: RunFolder) -> Written:
    """Write `report.html` into the run's folder, in one step.

    Raises:
        UserError: this is no run, or one of its files is damaged.
    """
    recipe = run.recipe()
    log = read_training_log(run.metrics)
    results = load_results(run.evaluation) if (run.evaluation / SUMMARY_NAME).is_file() else None
    gallery, no_gallery = _gallery(run, recipe, results)
    notices = _notices(run, log, results, no_gallery)
    page = _environment().get_template(TEMPLATE_NAME)
    html = page.render(
        version=__version__,
        recipe=recipe,
        settings=to_yaml(recipe),
        evaluation_settings=_settings_that_differ(recipe, results),
        environment=_read_environment(run.environment),
        notices=notices,
        log=log,
        training=training_figures(log) if log.epochs else [],
        results=results,
        **_evaluation_figures(results),
        gallery=gallery,
    )
    _write(run.report, html)
    return Written(run.report, notices)


def _gallery(run: RunFolder, recipe: Recipe, results: Results | None) -> tuple[Gallery | None, str]:
    """The gallery, or why there is none: a report is of use where the images no longer are."""
    try:
        return build_gallery(run, recipe, results), ""
    except UserError as error:
        return None, str(error)


def _notices(run: RunFolder, log: TrainingLog, results: Results | None, no_gallery: str) -> list[str]:
    notices = []
    if not run.finished.is_file():
        done = len({end.phase for end in log.ends})
        notices.append(f"Training has not finished: {done} of 3 phases are complete.")
    if results is None:
        notices.append(f"Not evaluated yet: run `{_command(run)}`, then make the report again.")
    elif not results.summary.scored.training_finished:
        notices.append("The model was scored before its training had finished.")
    if no_gallery:
        notices.append(f"No gallery: {no_gallery}.")
    return notices


def _command(run: RunFolder) -> str:
    return f"distxml evaluate {shlex.quote(str(run.path))}"


def _evaluation_figures(results: Results | None) -> dict[str, object]:
    if results is None:
        return {"roc": None, "precision_recall": None, "morf": []}
    summary = results.summary
    return {
        "roc": roc_figure(summary.roc) if summary.roc else None,
        "precision_recall": precision_recall_figure(summary.precision_recall) if summary.precision_recall else None,
        "morf": morf_panels(results) if summary.aopc else [],
    }


def _settings_that_differ(recipe: Recipe, results: Results | None) -> str:
    """The evaluation's settings where it was asked for others than the run's; else empty."""
    if results is None or results.summary.settings == recipe.evaluation:
        return ""
    return to_yaml(results.summary.settings)


def _read_environment(path: Path) -> dict[str, str]:
    """What training wrote down, whatever it is; empty where there is none."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise UserError(f"{path}: cannot be read as JSON; remove it") from None
    items = content.items() if isinstance(content, dict) else [("environment", content)]
    return {str(name): _in_words(value) for name, value in items}


def _in_words(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(map(_in_words, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {_in_words(inner)}" for name, inner in value.items())
    return value if isinstance(value, str) else json.dumps(value)


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=wording.number, percent=wording.percent, duration=wording.duration, svg=_inline, method=method_name
    )
    environment.globals.update(
        scores=scores,
        wording=wording,
        method_look=method_look,
        class_look=class_look,
        theme=THEME,
        training_legend=LEGEND,
    )
    return environment


def _inline(picture: Picture) -> Markup:
    return Markup(picture.svg)


def _write(path: Path, html: str) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(html, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise UserError(f"{path}: cannot be written ({error.strerror or error})") from None
