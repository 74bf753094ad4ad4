"""Figures over several runs: each from the runs' own summaries and rows, and the files that hold them."""

import csv
import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from distxml.cli.several_runs_tables import print_several
from distxml.config.run_folder import RunFolder
from distxml.errors import UserError
from distxml.evaluation.prepare import prepare
from distxml.evaluation.results import load_results, load_summary, store
from distxml.evaluation.several_runs.record import SeveralRuns
from distxml.evaluation.several_runs.store import load_several
from tests.oracles.crossed import interval
from tests.unit.evaluation.several_runs.conftest import summarized
from tests.unit.evaluation.several_runs.runs_on_disk import (
    IMAGES,
    PATIENTS,
    PERTURBED,
    SETTINGS,
    note_other_gate,
    with_one_fill,
    write_weights,
)


@pytest.fixture(scope="module")
def several(runs: list[RunFolder]) -> SeveralRuns:
    found = load_several(runs[0])
    assert found is not None
    return found


def test_every_run_perturbs_the_same_images(runs: list[RunFolder]):
    drawn = {prepare(run, run.recipe()).plan.curve_keys for run in runs}
    assert len(drawn) == 1 and len({run.recipe().run.seed for run in runs}) == 3


def test_each_value_is_that_of_the_runs_own_summary(runs: list[RunFolder], several: SeveralRuns):
    summaries = [load_summary(run.evaluation) for run in runs]
    pairs = [
        (several.metrics, [[row.value for row in summary.metrics] for summary in summaries]),
        (several.heatmaps, [[row.value for row in summary.heatmaps] for summary in summaries]),
        (several.aopc, [[row.aopc for row in summary.aopc] for summary in summaries]),
        (several.aopc_overall, [[row.aopc for row in summary.aopc_overall] for summary in summaries]),
        (several.comparisons, [[row.difference for row in summary.comparisons] for summary in summaries]),
    ]
    for rows, own in pairs:
        assert len(rows) == len(own[0]) > 0
        for row, values in zip(rows, zip(*own, strict=True), strict=True):
            assert row.of_runs == pytest.approx(values, abs=1e-12)
            if None not in values:
                assert row.value == pytest.approx(np.mean(values))
                assert row.spread == pytest.approx(np.std(values, ddof=1))
    places = [(row.method, row.other, row.order, row.patch_size, row.fill) for row in several.comparisons]
    own_rows = summaries[0].comparisons
    assert places == [(row.method, row.other, row.order, row.patch_size, row.fill) for row in own_rows]
    assert [row.name for row in several.metrics] == [row.name for row in summaries[0].metrics]


def test_intervals_are_over_runs_and_patients(runs: list[RunFolder], several: SeveralRuns):
    row = next(row for row in several.overall("morf") if row.method == "saliency")
    naive: list[list[list[float]]] = []
    for run in runs:
        table = pq.read_table(run.evaluation / "curves.parquet").to_pandas()
        table = table[(table.method == "saliency") & (table.order == "morf")]
        of_image = table.groupby(["group", "key"]).aopc.mean()
        naive.append([values.tolist() for _, values in of_image.groupby("group")])
    assert (row.low, row.high) == pytest.approx(interval(naive), rel=1e-6)
    assert (row.images, row.groups) == (PERTURBED, len(naive[0]))
    assert (several.images, several.groups) == (IMAGES, PATIENTS)


def test_p_values_are_of_the_primary_comparison_and_of_those_over_all_settings(several: SeveralRuns):
    (primary,) = [row for row in several.comparisons if row.primary]
    assert primary == several.primary
    assert (primary.method, primary.other, primary.order, primary.fill) == ("in_model", "random", "morf", None)
    assert all((row.p is None) == (row.fill is not None) for row in several.comparisons)


def test_areas_have_values_but_no_interval(several: SeveralRuns):
    rows = {row.name: row for row in several.metrics}
    for name in ("roc_auc", "average_precision", "heat_ratio"):
        assert rows[name].value is not None and rows[name].low is None
    for name in ("accuracy", "pompom", "heat_mean"):
        low, high = rows[name].low, rows[name].high
        assert low is not None and high is not None and 0 <= low < high <= 1


def test_the_table_holds_every_number(runs: list[RunFolder], several: SeveralRuns):
    with runs[0].several_runs_table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    kinds = [row["kind"] for row in rows]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "run": 3,
        "metric": len(several.metrics),
        "heatmap": len(several.heatmaps),
        "aopc": len(several.aopc),
        "aopc_overall": len(several.aopc_overall),
        "comparison": len(several.comparisons),
    }
    accuracy = next(row for row in rows if row["name"] == "accuracy")
    assert [float(accuracy[f"run_{number}"]) for number in (1, 2, 3)] == list(several.metrics[0].of_runs)
    assert (accuracy["runs"], accuracy["images"], accuracy["groups"]) == ("3", str(IMAGES), str(PATIENTS))
    assert [row["name"] for row in rows[:3]] == [".", "../seed-1", "../seed-2"]


def test_the_terminal_says_how_many_runs_and_images(several: SeveralRuns, capsys: pytest.CaptureFixture[str]):
    print_several(several)
    printed = " ".join(capsys.readouterr().out.split())
    assert f"over 3 runs, each scored on the same images of {several.dataset_name}" in printed
    assert f"{IMAGES} images of {PATIENTS} groups, of which {PERTURBED} images of" in printed
    assert "2: seed-1, seed 1, weights" in printed
    assert "Primary comparison over 3 runs: in_model minus random, morf, over all patch sizes and fills:" in printed
    assert "a new training run on the same data and new images (patients) together" in printed


def test_the_other_gate_has_values_mean_and_spread(copies: list[RunFolder], capsys: pytest.CaptureFixture[str]):
    note_other_gate(copies, (0.1, 0.25, -0.05))
    summarized(copies)
    several = load_several(copies[0])
    assert several is not None and several.primary is not None
    under = several.primary_under_other_gate
    assert under is not None and under.f == "fixed"
    row = under.comparison
    assert row.of_runs == (0.1, 0.25, -0.05) and row.value == pytest.approx(0.1)
    assert row.spread == pytest.approx(np.std([0.1, 0.25, -0.05], ddof=1))
    assert (row.low, row.high, row.p, row.verdict) == (None, None, None, None)
    assert (row.method, row.other, row.images, row.groups) == ("in_model", "random", PERTURBED, several.curve_groups)
    with copies[0].several_runs_table.open(newline="") as file:
        (line,) = [line for line in csv.DictReader(file) if line["name"] == "aopc_difference_fixed"]
    assert (line["kind"], line["low"], line["p"], line["run_3"]) == ("comparison", "", "", "-0.05")
    print_several(several)
    printed = " ".join(capsys.readouterr().out.split())
    assert (
        "Under fixed, which backs it or casts doubt on it, and is no finding alone: +0.1000, SD of runs 0.1500, "
        "without an interval: its rows are not kept with the results; each run +0.1000, +0.2500, -0.0500."
    ) in printed


def test_the_other_gate_needs_every_run(copies: list[RunFolder]):
    note_other_gate(copies[:2], (0.1, 0.2))
    assert summarized(copies).primary_under_other_gate is None


def test_every_fill_comes_before_the_mean_over_them(several: SeveralRuns, capsys: pytest.CaptureFixture[str]):
    print_several(several)
    printed = " ".join(capsys.readouterr().out.split())
    at_fills, over_all, _ = printed.partition(
        "AOPC over runs, all patch sizes and fills (a mean of different questions)"
    )
    assert over_all and "AOPC over runs at each fill, all patch sizes: mean ± SD of runs morf;" in at_fills
    for row in (several.overall("morf", fill)[0] for fill in SETTINGS.fills):
        assert row.value is not None and f"{row.value:.3f} ±{row.spread:.3f}" in at_fills
    assert [row.fill for row in several.overall("lerf", "blur")] == ["blur"] * len(SETTINGS.methods)
    compared = several.comparison("in_model", "random", "lerf", "blur")
    assert compared is not None and (compared.fill, compared.patch_size) == ("blur", None)
    assert printed.count("AOPC over runs at each fill") == len(SETTINGS.orders)


def test_one_fill_is_not_shown_twice(several: SeveralRuns, capsys: pytest.CaptureFixture[str]):
    print_several(with_one_fill(several))
    printed = capsys.readouterr().out
    assert printed.count("AOPC over runs") == len(SETTINGS.orders)
    assert "at each fill" not in printed and "different questions" not in printed


def test_two_runs_have_values_and_no_interval(copies: list[RunFolder], capsys: pytest.CaptureFixture[str]):
    note_other_gate(copies, (0.1, 0.2, 0.3))
    several = summarized(copies[:2])
    rows = (*several.metrics, *several.heatmaps, *several.aopc, *several.aopc_overall, *several.comparisons)
    assert all(row.low is None and row.high is None for row in rows)
    assert several.primary is not None and several.primary.p is None and several.primary.verdict is None
    assert several.primary.value is not None and several.primary.spread is not None
    print_several(several)
    printed = " ".join(capsys.readouterr().out.split())
    assert printed.count("too few for an interval or a verdict over runs") == 1
    assert "SD of runs 0.0707; each run +0.1000, +0.2000." in printed
    for word in ("unclear", "95% interval", "vs random", "not tested", "not kept"):
        assert word not in printed


def other_weights(run: RunFolder) -> None:
    write_weights(run, 99)


def another_evaluation(run: RunFolder) -> None:
    results = load_results(run.evaluation)
    settings = results.summary.settings.model_copy(update={"bootstrap": 101})
    store(
        dataclasses.replace(results, summary=results.summary.model_copy(update={"settings": settings})), run.evaluation
    )


def gone(run: RunFolder) -> None:
    shutil.rmtree(run.path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [(other_weights, "has got other weights"), (another_evaluation, "was evaluated again"), (gone, "was moved")],
)
def test_figures_of_a_run_that_has_changed_are_not_read(
    copies: list[RunFolder], change: Callable[[RunFolder], None], reason: str
):
    assert load_several(copies[0]) is not None and load_several(copies[1]) is None
    change(copies[1])
    with pytest.raises(UserError, match=rf"run \.\./seed-1 {reason}[^\n]* since it was written; run `distxml evaluate"):
        load_several(copies[0])


def test_runs_that_move_together_are_found(copies: list[RunFolder]):
    moved = copies[0].path.parent.rename(copies[0].path.parent.with_name("moved"))
    found = load_several(RunFolder(moved / "seed-0"))
    assert found is not None and found.settings == SETTINGS


def test_a_damaged_file_is_named(copies: list[RunFolder]):
    copies[0].several_runs.write_text(copies[0].several_runs.read_text().replace('"version": 2', '"version": 7'))
    with pytest.raises(UserError, match=r"several_runs\.json: not what this version of distxml writes \(version"):
        load_several(copies[0])


def test_an_evaluation_that_changes_meanwhile_is_not_summarized(copies: list[RunFolder]):
    another_evaluation(copies[2])
    before = copies[0].several_runs.read_bytes()
    with pytest.raises(UserError, match=r"seed-2: was evaluated otherwise meanwhile; run the same command again"):
        summarized(copies)
    assert copies[0].several_runs.read_bytes() == before


def test_a_full_disk_leaves_the_earlier_file(copies: list[RunFolder], monkeypatch: pytest.MonkeyPatch):
    before = copies[0].several_runs.read_bytes()

    def full(path: Path, content: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("distxml.evaluation.several_runs.store.write_whole", full)
    with pytest.raises(UserError, match=r"several_runs\.json: cannot be written \(No space left on device\)"):
        summarized(copies)
    assert copies[0].several_runs.read_bytes() == before
