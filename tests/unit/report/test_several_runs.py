"""The page's section on several runs; and what it says where there are none, or where they have changed."""

import shlex

from distxml.config.run_folder import RunFolder
from distxml.evaluation.several_runs.store import load_several
from distxml.report.document import read_content
from distxml.report.style import method_name
from distxml.report.tables.several import aopc_tables, metric_table
from distxml.report.wording import number, signed
from tests.unit.evaluation.several_runs.conftest import copies, runs, summarized
from tests.unit.evaluation.several_runs.runs_on_disk import note_other_gate, with_one_fill, write_weights
from tests.unit.report.page import Page, page_without_figures

__all__ = ["copies", "runs"]


def section_of(page: Page) -> str:
    """Text of the section on several runs, up to its table of metrics."""
    return page.text[page.text.index("runs of one recipe") : page.text.index("Metrics over runs")]


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
    several = summarized(copies[:2])
    page = page_without_figures(copies[0])
    section = section_of(page)
    assert section.count("too few for an interval or a verdict") == 1
    assert f"over 2 runs: {method_name('in_model')} against {method_name('random')}" in section
    for word in ("not told apart", "not tested", "bold"):
        assert word not in section.casefold()
    assert not metric_table(several).about


def test_the_other_gate_stands_beside_the_primary_comparison(copies: list[RunFolder]):
    note_other_gate(copies, (0.1, 0.25, -0.05))
    summarized(copies)
    section = section_of(page_without_figures(copies[0]))
    assert "image kept (fixed), over 3 runs: " in section
    assert f"{signed(0.1)} SD {number(0.15)}; each run: {number(0.1)}, {number(0.25)}, {number(-0.05)}; " in section
    assert "without an interval: its rows are not kept with the results" in section
    assert "is no finding alone" in section


def test_every_fill_comes_before_the_mean_over_them(runs: list[RunFolder]):
    several, section = load_several(runs[0]), section_of(page_without_figures(runs[0]))
    assert several is not None
    at_fills, over_all = aopc_tables(several, "morf")
    assert section.index(at_fills.title) < section.index(over_all.title)
    assert "(a mean of different questions)" in over_all.about and "questions" not in at_fills.about
    assert [row.note for row in at_fills.rows] == [fill for fill in several.fills for _ in several.settings.methods]
    for line in at_fills.rows:
        row = next(r for r in several.overall("morf", line.note) if method_name(r.method) == line.name)
        compared = several.comparison("in_model", row.method, "morf", line.note)
        assert line.cells[0].text == number(row.value)
        assert line.cells[-1].text == (signed(compared.value or 0) if compared else "–")


def test_one_fill_is_not_shown_twice(runs: list[RunFolder]):
    several = load_several(runs[0])
    assert several is not None
    (table,) = aopc_tables(with_one_fill(several), "morf")
    assert "questions" not in table.about and all(not row.note for row in table.rows)
