"""Evaluation on real Ray: the same numbers whatever the workers, the batches and the accidents.

Processes that are killed, disks and nodes are in `faults/test_evaluation.py`.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import ray
import torch
from filelock import FileLock, Timeout

from distxml.config.evaluation import EvaluationSettings
from distxml.config.evaluation_request import override_recipe
from distxml.config.phases import PhaseName
from distxml.config.recipe import Recipe
from distxml.config.run_folder import RunFolder
from distxml.errors import UserError
from distxml.evaluation import duration
from distxml.evaluation.evaluate import evaluate_run, remaining_work, score
from distxml.evaluation.prepare import prepare
from distxml.evaluation.results import Results, load_results
from distxml.evaluation.scoring.plan import points
from distxml.evaluation.several_runs.store import load_several
from distxml.evaluation.tables import CURVES_SCHEMA, HEATMAPS_SCHEMA, IMAGES_SCHEMA
from distxml.evaluation.workers import pool
from distxml.models.checkpoint import save_model
from distxml.signals import StopRequest
from tests.integration.command import distxml_in_process
from tests.integration.same_results import assert_same, assert_same_results
from tests.integration.small_run import write_run
from tests.oracles.areas import aopc_over_share
from tests.small_dataset import write_dataset
from tests.unit.evaluation.several_runs.runs_on_disk import make_runs
from tests.unit.evaluation.small_model import CLASSES, small_model, small_rows, small_scorer
from tests.unit.evaluation.some_records import kinds_of_files

pytestmark = pytest.mark.slow

IMAGES, PERTURBED = 30, 11
SETTINGS = EvaluationSettings(
    methods=("in_model", "saliency", "random"),
    orders=("morf", "lerf"),
    patch_sizes=(8, 12, 64),
    min_patches=9,
    fills=("black", "uniform", "blur"),
    steps=12,
    curve_images=PERTURBED,
    batch_size=50,
    bootstrap=200,
)
CURVES = 2 * 3 * (2 + 2 + 1)
"""Of an image: patch sizes that fit, fills, and orders of each method."""


@pytest.fixture(scope="module")
def two_cpus() -> Iterator[None]:
    """Ray with two CPUs, so that two workers take every one of them, and what it takes for a GPU."""
    ray.init(num_cpus=2, num_gpus=1, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, two_cpus: None) -> RunFolder:
    return write_run(tmp_path_factory.mktemp("evaluation"), SETTINGS, IMAGES)


@pytest.fixture(scope="module")
def one_worker(run: RunFolder) -> Results:
    evaluate_run(run, recipe_of(run))
    return load_results(run.evaluation)


@pytest.fixture
def fresh(run: RunFolder, one_worker: Results) -> RunFolder:
    """The run, its finished rows forgotten."""
    shutil.rmtree(run.evaluation_rows, ignore_errors=True)
    return run


def recipe_of(run: RunFolder, *overrides: str) -> Recipe:
    return override_recipe(run.recipe(), list(overrides), str(run.config))


def rows_folder(run: RunFolder) -> Path:
    """Where the run's own rows are; those of the primary comparison under the other gate are beside it."""
    return remaining_work(run, prepare(run, recipe_of(run))).journal.folder


class Watched:
    """What an evaluation tells about itself; a slow machine's "no worker is ready yet" is no matter here."""

    def __init__(self) -> None:
        self.done, self.total = 0, 0
        self.said: list[str] = []

    def hear(self, message: str) -> None:
        if not message.startswith("no worker is ready after"):
            self.said.append(message)

    def show(self, done: int, total: int) -> None:
        assert self.done < done <= total
        self.done, self.total = done, total


def test_what_is_written(run: RunFolder, one_worker: Results):
    summary, images, curves = one_worker.summary, one_worker.images, one_worker.curves
    assert sorted(path.name for path in run.evaluation.iterdir()) == [
        "SHA256SUMS",
        "curves.parquet",
        "heatmaps.parquet",
        "images.parquet",
        "summary.csv",
        "summary.json",
    ]
    assert [path.name for path in run.path.iterdir() if path.name.startswith(".")] == [".evaluation.lock"]
    own, (other,) = rows_folder(run), {*run.evaluation_rows.iterdir()} - {rows_folder(run)}
    assert kinds_of_files(own) == ["images", "methods", "settings.json"], "merged"
    assert kinds_of_files(other) == ["methods", "settings.json"], "the other gate's: images are the same"
    assert (images.schema, curves.schema) == (IMAGES_SCHEMA, CURVES_SCHEMA)
    assert one_worker.heatmaps.schema == HEATMAPS_SCHEMA
    assert images["key"].to_pylist() == sorted(f"image-{index}" for index in range(IMAGES))
    assert (summary.images, summary.annotated, summary.curve_images) == (IMAGES, IMAGES - 1, PERTURBED)
    assert summary.left_out_patch_sizes == (64,)
    assert curves.num_rows == PERTURBED * CURVES
    assert one_worker.heatmaps.num_rows == PERTURBED * 2
    assert summary.scored.checkpoint == "checkpoints/joint/last"
    assert summary.settings == SETTINGS
    spread = [max(f) - min(f) for f in curves["f"].to_pylist()]
    assert np.mean(spread) > 0.01  # else agreement to 1e-5 would say little


def test_rows_are_those_of_a_scorer_without_ray(run: RunFolder, one_worker: Results, tmp_path: Path):
    keys = set(one_worker.curves["key"].to_pylist())
    rows = [row for row in small_rows(IMAGES) if row.key in keys]
    records = small_scorer(tmp_path, SETTINGS.model_copy(update={"batch_size": 16}), rows).score(rows, SETTINGS.methods)
    expected = {
        (record.key, record.method, curve.patch_size, curve.order, curve.fill): curve
        for record in records
        for curve in record.curves
    }
    for found in one_worker.curves.to_pylist():
        curve = expected.pop(tuple(found[name] for name in ("key", "method", "patch_size", "order", "fill")))
        np.testing.assert_allclose(found["f"], curve.f, atol=1e-5)
        assert found["aopc"] == pytest.approx(aopc_over_share(curve.f, curve.share, 1), abs=1e-5)
        assert (found["steps"], found["share"], found["tie_share"]) == (curve.steps, curve.share, curve.tie_share)
    assert not expected


def test_the_summary_follows_from_the_rows(one_worker: Results):
    summary, images = one_worker.summary, one_worker.images.to_pylist()
    assert summary.metric("accuracy").value == pytest.approx(
        np.mean([row["label"] == row["predicted"] for row in images])
    )
    rows = one_worker.curves.to_pylist()
    for row in summary.aopc:
        place = (row.method, row.patch_size, row.order, row.fill)
        of_place = [r for r in rows if (r["method"], r["patch_size"], r["order"], r["fill"]) == place]
        expected = np.mean([aopc_over_share(r["f"], r["share"], 1) for r in of_place])
        assert row.aopc == pytest.approx(expected, abs=1e-9)
        assert (row.steps, row.images) == ({8: 12, 12: 9}[row.patch_size], PERTURBED)
    assert len(summary.aopc) == CURVES
    beside = summary.primary_under_other_gate
    assert beside is not None and beside.f == "fixed" and beside.comparison.images == PERTURBED


def test_two_workers_on_every_cpu_and_other_batches_change_nothing(fresh: RunFolder, one_worker: Results):
    watched = Watched()
    evaluate_run(fresh, recipe_of(fresh, "scaling.workers=2", "evaluation.batch_size=7"), watched.show, watched.hear)
    assert_same_results(load_results(fresh.evaluation), one_worker)
    assert watched.done == watched.total > 0
    assert not watched.said


@pytest.mark.usefixtures("one_worker")
def test_what_is_finished_is_not_computed_again(run: RunFolder, one_worker: Results):
    if not run.evaluation_rows.exists():
        evaluate_run(run, recipe_of(run))
    watched = Watched()
    evaluate_run(run, recipe_of(run, "evaluation.bootstrap=100"), watched.show, watched.hear)
    assert watched.total == 0
    everything = PERTURBED * 3
    message = f"{everything} of {everything} heatmaps and their curves were finished before and are reused"
    own, other = watched.said
    assert own == message and "of the primary comparison under fixed were finished before" in other
    found = load_results(run.evaluation)
    assert_same(found.curves, one_worker.curves)
    assert_same(found.heatmaps, one_worker.heatmaps)
    before = [row.aopc for row in one_worker.summary.aopc]  # in other batches
    assert [row.aopc for row in found.summary.aopc] == pytest.approx(before, abs=1e-5)


def test_an_interruption_loses_no_finished_row(fresh: RunFolder, one_worker: Results):
    """Ctrl-C, then other workers, other batches, and one more method: only what is left is computed."""
    some, before = "evaluation.methods=[in_model,random]", load_results(fresh.evaluation).summary
    finished: list[set[tuple[str, str]]] = []

    def interrupt(done: int, total: int) -> None:
        if done > total / 2:
            finished.append(remaining_work(fresh, prepare(fresh, recipe_of(fresh, some))).finished.pairs)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate_run(fresh, recipe_of(fresh, some), interrupt)
    assert 2 < len(finished[0]) < 2 * PERTURBED
    assert load_results(fresh.evaluation).summary == before
    recipe = recipe_of(fresh, "scaling.workers=2", "evaluation.batch_size=9")
    left = remaining_work(fresh, prepare(fresh, recipe))
    keys = list(prepare(fresh, recipe).label_of_key)
    own = [task for task in left.tasks if task.part == 0]
    to_do = {(keys[row], method) for task in own for row in task.rows for method in task.methods}
    assert not to_do & finished[0]
    watched = Watched()
    evaluate_run(fresh, recipe, watched.show, watched.hear)
    assert watched.total == left.passes
    assert watched.said[0] == (
        f"{len(left.finished.pairs)} of {3 * PERTURBED} heatmaps and their curves were finished before and are reused"
    )
    assert_same_results(load_results(fresh.evaluation), one_worker)


def test_a_method_that_is_added_later_is_all_that_is_computed(fresh: RunFolder, one_worker: Results):
    evaluate_run(fresh, recipe_of(fresh, "evaluation.methods=[in_model,random]"))
    few = load_results(fresh.evaluation)
    assert {row.method for row in few.summary.aopc_overall} == {"in_model", "random"}
    watched = Watched()
    recipe = recipe_of(fresh)
    evaluate_run(fresh, recipe, watched.show)
    added = tuple(curve for curve in prepare(fresh, recipe).plan.curves if curve.method == "saliency")
    assert watched.total == PERTURBED * points(added, 3)
    assert_same_results(load_results(fresh.evaluation), one_worker)


def test_a_damaged_part_is_reported_and_computed_again(fresh: RunFolder, one_worker: Results):
    def interrupt(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate_run(fresh, recipe_of(fresh), interrupt)
    folder = rows_folder(fresh)
    part = next(folder.glob("methods-*.parquet"))
    part.write_bytes(part.read_bytes()[:100])
    (folder / ".methods-1.parquet.2.unfinished").write_bytes(b"PAR1")
    watched = Watched()
    evaluate_run(fresh, recipe_of(fresh), watched.show, watched.hear)
    assert watched.said[0] == f"{part} is damaged or is not from this evaluation; its rows are computed again"
    assert "were finished before" in watched.said[1]
    assert_same_results(load_results(fresh.evaluation), one_worker)
    assert kinds_of_files(folder) == ["images", "methods", "settings.json"], "merged"


def test_nobody_else_evaluates_the_run_meanwhile(fresh: RunFolder):
    refused: list[str] = []

    def another(done: int, total: int) -> None:
        with pytest.raises(Timeout):
            FileLock(fresh.evaluation_lock, timeout=0).acquire()
        refused.append("by the lock")

    evaluate_run(fresh, recipe_of(fresh, "evaluation.methods=[random]", "evaluation.curve_images=2"), another)
    assert refused
    with FileLock(fresh.evaluation_lock):
        done = distxml_in_process("evaluate", fresh.path, cwd=fresh.path.parent)
    assert done.returncode == 2
    assert done.stderr == f"distxml: error: run {fresh.path}: another process is evaluating it; wait for it\n"


def test_weights_that_change_meanwhile_are_not_scored(tmp_path: Path, two_cpus: None):
    run = write_run(tmp_path, SETTINGS, 4)
    evaluation = prepare(run, run.recipe())
    left = remaining_work(run, evaluation)
    left.open()
    loaded = small_model(seed=3)
    save_model(run.checkpoint(PhaseName.JOINT, "last"), loaded.model, loaded.card)
    with pytest.raises(UserError, match=r"^checkpoint \S+: was replaced during the evaluation; [^\n]*$"):
        score(left, lambda done, total: None, lambda message: None, StopRequest())
    assert not left.journal.read().parts


def test_cpus_that_others_hold_are_waited_for_and_the_user_is_told(fresh: RunFolder, monkeypatch: pytest.MonkeyPatch):
    @ray.remote(num_cpus=2)
    class Other:
        def is_there(self) -> bool:
            return True

    other, said = Other.remote(), []
    ray.get(other.is_there.remote())
    monkeypatch.setattr(pool, "SECONDS_TO_START", 2.0)
    monkeypatch.setattr(duration, "MAX_SECONDS_TO_WAIT", 1.0)
    evaluation = prepare(fresh, recipe_of(fresh))
    assert duration.estimate_seconds(evaluation, remaining_work(fresh, evaluation)) is None

    def notify(message: str) -> None:
        said.append(message)
        ray.kill(other)  # pyright: ignore[reportArgumentType]

    evaluate_run(fresh, recipe_of(fresh), notify=notify)
    assert [message for message in said if "0 of 2 CPUs and 1 of 1 GPUs of the cluster are free" in message] == said
    assert len(said) == 1


def test_a_run_that_is_not_shared_by_the_nodes_is_named(fresh: RunFolder):
    evaluation = prepare(fresh, recipe_of(fresh))
    left = remaining_work(fresh, evaluation)  # whose folder nobody makes, as on another machine
    with pytest.raises(UserError, match=r"No such file or directory\); put run.folder on a disk that every"):
        score(left, lambda done, total: None, lambda message: None, StopRequest())


def test_a_broken_image_ends_in_one_line_and_leaves_the_earlier_results(fresh: RunFolder, tmp_path: Path):
    rows = small_rows(6)
    broken = [*rows[:4], type(rows[4])("broken-one", b"no image", None, 0)]
    write_dataset(tmp_path / "broken", {"test": broken}, CLASSES)
    before = (fresh.evaluation / "summary.json").read_bytes()
    with pytest.raises(UserError, match=r"^image broken-one: does not decode[^\n]*$"):
        evaluate_run(fresh, recipe_of(fresh, f"dataset.path={json.dumps(str(tmp_path / 'broken'))}"))
    assert (fresh.evaluation / "summary.json").read_bytes() == before
    assert not list(fresh.path.glob(".evaluation-*"))


def test_every_f_target_and_output(fresh: RunFolder):
    """Through Ray and back, with workers that reserve GPUs; what the numbers are is tested without it."""
    overrides = (
        "evaluation.methods=[in_model,saliency,random]",
        "evaluation.patch_sizes=[16]",
        "evaluation.min_patches=4",
        "evaluation.steps=all",
    )
    for f, target, output in (("classifier_phase", "label", "logit"), ("fixed", "triangle", "probability")):
        chosen = (f"evaluation.f={f}", f"evaluation.target={target}", f"evaluation.output={output}")
        summary = evaluate_run(
            fresh, recipe_of(fresh, *overrides, *chosen, "scaling.workers=2", "scaling.gpus_per_worker=0.5")
        )
        found = load_results(fresh.evaluation)
        assert (summary.settings.f, summary.settings.target, summary.settings.output) == (f, target, output)
        assert (summary.scored.checkpoint == "checkpoints/classifier/last") == (f == "classifier_phase")
        keys = set(found.curves["key"].to_pylist())
        rows = [row for row in small_rows(IMAGES) if row.key in keys]
        scorer = small_scorer(fresh.path, summary.settings, rows)
        torch.testing.assert_close(
            found.curves["aopc"].to_pylist(),
            [
                curve.aopc
                for record in sorted(scorer.score(rows, SETTINGS.methods), key=lambda record: record.key)
                for curve in record.curves
            ],
            atol=1e-5,
            rtol=1e-5,
        )


def test_several_runs_are_scored_one_after_the_other_and_summarized(tmp_path: Path, two_cpus: None):
    runs = make_runs(tmp_path, 2, evaluated=False)
    few = ("evaluation.curve_images=2", "evaluation.methods=[in_model,random]", "evaluation.fills=[black]")
    words = ("evaluate", *(run.path for run in runs), *few)
    done = distxml_in_process(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    several = load_several(runs[0])
    assert several is not None and [run.seed for run in several.runs] == [0, 1]
    assert "over 2 runs, each scored on the same images" in done.stdout and str(runs[0].several_runs) in done.stdout
    again = distxml_in_process(*words, cwd=tmp_path)
    assert again.stderr.count("note: 4 of 4 heatmaps and their curves were finished before and are reused") == 2
    assert load_several(runs[0]) == several
    planned = distxml_in_process(*words, "--dry-run", cwd=tmp_path)
    assert planned.returncode == 0, planned.stderr
    assert planned.stdout.count("24 images, 2 of them perturbed") == 2
    assert f"over all 2 runs: would go to {runs[0].several_runs}" in planned.stdout
