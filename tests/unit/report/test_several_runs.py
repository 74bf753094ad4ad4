"""The page's section on several runs; and what it says where there are none, or where they have changed."""

import shlex

from distxml.config.run_folder import RunFolder
from distxml.evaluation.several_runs.store import load_several
from distxml.report.document import read_content
from distxml.report.style import method_name
from distxml.report.wording import number, signed
from tests.unit.evaluation.several_runs.conftest import copies, runs, summarized
from tests.unit.evaluation.several_runs.runs_on_disk import write_weights
from tests.unit.report.page import page_without_figures

__all__ = ["copies", "runs"]


def test_every_run_and_the_primary_comparison_are_shown(runs: list[RunFolder]):
    several, page = load_several(runs[0]), page_without_figures(runs[0])
    assert several is not None and several.primary is not None
    assert any(element.attributes.get("id") == "several" for element in page.all("section"))
    assert "3 runs of one recipe, trained from other seeds, each scored on the same 24 images of 12 groups" in page.text
    for row in several.overall("morf"):
        assert " ".join(number(value) for value in row.of_runs) in page.text
    assert f"over 3 runs: {method_name('in_model')} against {method_name('random')}" in page.text
    assert signed(several.primary.value or 0) in page.text
    assert "seed-2, seed 2" in page.text
    assert "hold for a new training run and new images (patients) together" in page.text
    assert "this one trained model alone" not in page.text


def test_a_run_by_itself_says_what_it_speaks_of(runs: list[RunFolder]):
    page = page_without_figures(runs[1])
    assert "These figures speak of this one trained model alone" in page.text
    assert f"distxml evaluate {shlex.quote(str(runs[1].path))} RUN RUN" in page.text
    assert not any(element.attributes.get("id") == "several" for element in page.all("section"))


def test_figures_of_runs_that_have_changed_are_not_shown(copies: list[RunFolder]):
    write_weights(copies[1], 99)
    (notice,) = read_content(copies[0]).notices
    assert notice.startswith("Several runs are not shown: ") and "../seed-1 has got other weights" in notice
    page = page_without_figures(copies[0])
    assert notice in page.text and "this one trained model alone" in page.text


def test_two_runs_are_shown_without_intervals(copies: list[RunFolder]):
    summarized(copies[:2])
    page = page_without_figures(copies[0])
    assert "Fewer than 3 runs are too few for an interval or a verdict" in page.text
    assert "not told apart over 2 runs" in page.text
