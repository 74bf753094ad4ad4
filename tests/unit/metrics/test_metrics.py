"""The table of metrics: complete, readable without torch, and what docs/metrics.md says."""

import re
import runpy
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from distxml.cli.evaluation_tables import AREAS
from distxml.evaluation.statistics.means import MEANS
from distxml.evaluation.summary_rows import HeatmapName
from distxml.losses import LossTerms
from distxml.metrics.entry import MetricEntry
from distxml.metrics.lookup import METRICS, OBJECTIVE_METRICS, directions, metric_entry

DOCS = Path(__file__).parents[3] / "docs"
ENTRIES = list(METRICS)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_an_entry_says_everything(entry: MetricEntry) -> None:
    assert all(getattr(entry, field.name) for field in fields(entry) if field.name not in ("remark", "no_objective"))
    assert entry.meaning.endswith(".") and entry.meaning.count(". ") == 0, "one sentence"
    assert len(entry.short) <= 12
    assert "better" in entry.description or entry.better == "neither"


def test_titles_tell_metrics_apart() -> None:
    titles = [entry.title for entry in ENTRIES]
    assert len(set(titles)) == len(titles)


def test_the_page_is_made_of_the_table() -> None:
    page = runpy.run_path(str(DOCS / "metrics_page.py"))["page"]()
    assert (DOCS / "metrics.md").read_text() == page, "python docs/metrics_page.py > docs/metrics.md"


def test_an_unknown_name_is_shown_as_it_is() -> None:
    entry = metric_entry("some_new_score")
    assert (entry.title, entry.short, entry.reading) == ("Some new score", "some_new_score", "")


def test_directions_in_words() -> None:
    assert directions(["pompom", "energy_inside", "heat_mean", "pointing"]) == (
        "POMPOM: lower is better. Energy inside, Pointing game: higher is better."
    )


def test_a_metric_from_outside_is_known_everywhere() -> None:
    METRICS.add(MetricEntry("halo", "Halo", "halo", "pixels", "lower", "Width of the rim.", ("training",)))
    try:
        assert metric_entry("halo").reading == "lower is better" and "halo" in OBJECTIVE_METRICS.names()
        with pytest.raises(ValueError, match="there is a metric halo already"):
            METRICS.add(METRICS["halo"])
    finally:
        METRICS.remove("halo")
    assert "halo" not in OBJECTIVE_METRICS.names()


def test_training_logs_what_the_table_says() -> None:
    loss_terms = {field.name for field in fields(LossTerms)}
    trained = {entry.name for entry in ENTRIES if "training" in entry.computed_by}
    assert trained == loss_terms | {"accuracy", "black", "white", "difference"}


def test_what_an_evaluation_writes_is_in_the_table() -> None:
    scored = {entry.name for entry in ENTRIES if "evaluation" in entry.computed_by}
    assert scored >= {*MEANS, *get_args(HeatmapName), "accuracy", "heat_ratio", *AREAS}


def test_no_module_writes_which_way_a_metric_is_better() -> None:
    package = DOCS.parent / "distxml"
    written = re.compile(r"""["'][^"']*(higher|lower) is better""", re.IGNORECASE)
    found = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        for line in path.read_text().splitlines()
        if written.search(line) and not line.lstrip().startswith(('"""', "#"))
    }
    assert found == {"metrics/entry.py"}
