"""The HTML page, from its templates: no scripts, nothing from outside, everything of the user's escaped."""

import json
from dataclasses import dataclass
from pathlib import Path

import jinja2
from markupsafe import Markup

from distxml import __version__
from distxml.config import to_yaml
from distxml.config.recipe import Recipe
from distxml.config.run_folder import RunFolder
from distxml.errors import UserError, reason_of
from distxml.evaluation.results import Results
from distxml.evaluation.several_runs.record import SeveralRuns
from distxml.evaluation.verdict import MIN_GROUPS
from distxml.files import write_whole
from distxml.metrics.lookup import metric_entry
from distxml.report import several_runs, verdict, wording
from distxml.report.figure import THEME, Picture
from distxml.report.figures.all import Figures
from distxml.report.figures.training import LEGEND
from distxml.report.gallery import Gallery
from distxml.report.heatmap_grid import HeatmapGrid
from distxml.report.pixels import Pixels, data_uri, thumbnail
from distxml.report.style import ORDER_NAMES, ORDER_WORDS, class_styles, method_name, method_styles
from distxml.report.tables import classes as class_tables
from distxml.report.tables import fills as fill_tables
from distxml.report.tables import methods as method_tables
from distxml.report.tables import settings as setting_tables
from distxml.report.tables import several as several_tables
from distxml.report.training_log import TrainingLog

TEMPLATES = Path(__file__).parent / "page"
TEMPLATE_NAME = "report.html.j2"


@dataclass(frozen=True)
class Content:
    """What a page shows beside its figures; what is not there is None or empty."""

    run: RunFolder
    recipe: Recipe
    log: TrainingLog
    results: Results | None
    gallery: Gallery | None
    grid: HeatmapGrid | None
    notices: list[str]
    several: SeveralRuns | None = None


def render(content: Content, figures: Figures) -> str:
    """The whole page.

    Raises:
        UserError: the run's list of versions is damaged.
    """
    results = content.results
    return (
        environment()
        .get_template(TEMPLATE_NAME)
        .render(
            version=__version__,
            run=content.run,
            recipe=content.recipe,
            settings=to_yaml(content.recipe),
            evaluation_settings=_settings_that_differ(content.recipe, results),
            environment=_read_environment(content.run.environment),
            notices=content.notices,
            log=content.log,
            summary=results.summary if results else None,
            several=content.several,
            figures=figures,
            figures_folder=content.run.figures.name,
            gallery=content.gallery,
            grid=content.grid,
        )
    )


def write_page(path: Path, html: str) -> None:
    """Write a page, whole or not at all.

    Raises:
        UserError: it cannot be written.
    """
    try:
        write_whole(path, html)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({reason_of(error)})") from None


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


def environment() -> jinja2.Environment:
    """What the templates know."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=wording.number,
        percent=wording.percent,
        duration=wording.duration,
        svg=_inline,
        method=method_name,
        thumbnail=_thumbnail,
    )
    environment.globals.update(
        class_tables=class_tables,
        fill_tables=fill_tables,
        method_tables=method_tables,
        setting_tables=setting_tables,
        several_runs=several_runs,
        several_tables=several_tables,
        verdict=verdict,
        wording=wording,
        metric_entry=metric_entry,
        order_names=ORDER_NAMES,
        order_words=ORDER_WORDS,
        method_styles=method_styles,
        class_styles=class_styles,
        min_groups=MIN_GROUPS,
        theme=THEME,
        training_legend=LEGEND,
    )
    return environment


def _inline(picture: Picture) -> Markup:
    return Markup(picture.svg)


def _thumbnail(picture: Pixels) -> str:
    return data_uri(thumbnail(picture))
