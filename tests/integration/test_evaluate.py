"""Evaluation on real Ray: the same numbers whatever the workers, the batches and the accidents."""

import json
import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import ray

from distxml.config.evaluation import EvaluationSettings
from distxml.config.recipe import Recipe
from distxml.config.run_folder import RunFolder
from distxml.errors import UserError
from distxml.evaluation.distributed import evaluate_run
from distxml.evaluation.request import override_recipe
from distxml.evaluation.results import CURVES_SCHEMA, IMAGES_SCHEMA, Results, load_results
from tests.integration.command import distxml
from tests.integration.small_run import write_run
from tests.oracles.perturbation import aopc
from tests.small_dataset import write_dataset
from tests.unit.evaluation.small_model import CLASSES, small_rows

pytestmark = pytest.mark.slow

IMAGES = 30
SETTINGS = EvaluationSettings(
    patch_sizes=(8, 12, 64), fills=("black", "uniform", "blur"), steps=12, curve_images=11, batch_size=50, bootstrap=200
)


@pytest.fixture(scope="module")
def two_cpus() -> Iterator[None]:
    """Ray with two CPUs, so that two workers take every one of them."""
    ray.init(num_cpus=2, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, two_cpus: None) -> RunFolder:
    return write_run(tmp_path_factory.mktemp("evaluation"), SETTINGS, IMAGES)


@pytest.fixture(scope="module")
def one_worker(run: RunFolder) -> Results:
    evaluate_run(run, recipe_of(run))
    return load_results(run.evaluation)


def recipe_of(run: RunFolder, *overrides: str) -> Recipe:
    return override_recipe(run.recipe(), list(overrides), str(run.config))


def assert_same(found: pa.Table, expected: pa.Table) -> None:
    """The same rows in the same order, numbers to 1e-5."""
    assert found.schema == expected.schema
    assert found.num_rows == expected.num_rows
    for field in expected.schema:
        left, right = found[field.name].to_pylist(), expected[field.name].to_pylist()
        if "double" in str(field.type):
            assert [value is None for value in left] == [value is None for value in right], field.name
            pairs = [(a, b) for a, b in zip(left, right, strict=True) if a is not None]
            for a, b in pairs:
                np.testing.assert_allclose(a, b, atol=1e-5, rtol=0, err_msg=field.name)
        else:
            assert left == right, field.name


def test_what_is_written(run: RunFolder, one_worker: Results):
    summary, images, curves = one_worker.summary, one_worker.images, one_worker.curves
    assert sorted(path.name for path in run.evaluation.iterdir()) == [
        "curves.parquet",
        "images.parquet",
        "summary.csv",
        "summary.json",
    ]
    assert not [path for path in run.path.iterdir() if path.name.startswith(".evaluation")]
    assert images.schema == IMAGES_SCHEMA
    assert curves.schema == CURVES_SCHEMA
    assert images["key"].to_pylist() == sorted(f"image-{index}" for index in range(IMAGES))
    assert (summary.images, summary.annotated, summary.curve_images) == (IMAGES, IMAGES - 1, 11)
    assert summary.left_out_patch_sizes == (64,)
    assert curves.num_rows == 11 * 3 * 2 * 3
    assert summary.scored.checkpoint == "checkpoints/phase3/last"
    assert summary.settings == SETTINGS
    spread = [max(f) - min(f) for f in curves["f"].to_pylist()]
    assert np.mean(spread) > 0.01  # else agreement to 1e-5 would say little


def test_the_summary_follows_from_the_rows(one_worker: Results):
    summary, images = one_worker.summary, one_worker.images.to_pylist()
    correct = [row["label"] == row["predicted"] for row in images]
    assert summary.metric("accuracy").value == pytest.approx(np.mean(correct))
    assert sum(map(sum, summary.confusion)) == IMAGES
    for name in ("classification", "weak", "pompom", "heat_mean", "heat_inside", "heat_outside"):
        values = [row[name] for row in images if row[name] is not None]
        metric = summary.metric(name)
        assert metric.value == pytest.approx(np.mean(values)), name
        assert metric.images == len(values)
        assert metric.low is not None
        assert metric.high is not None
        assert metric.low <= np.mean(values) <= metric.high, name
    both = [row for row in images if row["heat_inside"] is not None]
    ratio = np.mean([row["heat_inside"] for row in both]) / np.mean([row["heat_outside"] for row in both])
    assert summary.metric("heat_ratio").value == pytest.approx(ratio)
    assert len(both) == IMAGES - 3  # one without a mask, one empty, one full


def test_aopc_follows_from_the_curves(one_worker: Results):
    rows = one_worker.curves.to_pylist()
    means: dict[tuple, float] = {}
    for row in one_worker.summary.aopc:
        place = (row.method, row.patch_size, row.fill)
        curves = [r["f"] for r in rows if (r["method"], r["patch_size"], r["fill"]) == place]
        means[place] = aopc(curves)
        assert row.aopc == pytest.approx(means[place], abs=1e-9)
        assert row.by_steps[-1] == pytest.approx(row.aopc)
        assert row.by_steps[2] == pytest.approx(aopc([f[:3] for f in curves]), abs=1e-9)
        assert row.low <= row.aopc <= row.high
        assert (row.steps, row.images) == ({8: 12, 12: 9}[row.patch_size], 11)
    assert len(means) == 3 * 2 * 3
    for row in one_worker.summary.versus_random:
        drop = means[row.method, row.patch_size, row.fill] - means["random", row.patch_size, row.fill]
        assert row.difference == pytest.approx(drop, abs=1e-9)
        assert row.low <= row.difference <= row.high
    assert len(one_worker.summary.versus_random) == 2 * 2 * 3


def test_two_workers_on_every_cpu_and_other_batches_change_nothing(run: RunFolder, one_worker: Results):
    evaluate_run(run, recipe_of(run, "scaling.workers=2", "evaluation.batch_size=7"))
    found = load_results(run.evaluation)
    assert_same(found.images, one_worker.images)
    assert_same(found.curves, one_worker.curves)
    assert [row.aopc for row in found.summary.aopc] == pytest.approx(
        [row.aopc for row in one_worker.summary.aopc], abs=1e-5
    )


def own_actors() -> list[int]:
    """Process ids of the scoring actors that descend from this process."""
    listing = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    lines = [line.split(None, 2) for line in listing.splitlines()[1:]]
    parent = {int(words[0]): int(words[1]) for words in lines}

    def descends(process: int) -> bool:
        while process in parent:
            if process == os.getpid():
                return True
            process = parent[process]
        return False

    return [int(words[0]) for words in lines if "ScoringWorker" in words[-1] and descends(int(words[0]))]


def test_an_actor_that_is_killed_loses_and_doubles_nothing(run: RunFolder, one_worker: Results):
    killed: list[int] = []

    def kill_once(done: int, total: int) -> None:
        if not killed and done < total:
            killed.append(own_actors()[0])
            os.kill(killed[0], signal.SIGKILL)

    evaluate_run(run, recipe_of(run, "scaling.workers=2", "evaluation.steps=6"), kill_once)
    assert killed
    found = load_results(run.evaluation)
    assert_same(found.images, one_worker.images)
    cut = {(row["key"], row["method"], row["patch_size"], row["fill"]): row for row in found.curves.to_pylist()}
    assert len(cut) == one_worker.curves.num_rows
    for row in one_worker.curves.to_pylist():
        f = cut[row["key"], row["method"], row["patch_size"], row["fill"]]["f"]
        np.testing.assert_allclose(f, row["f"][:7], atol=1e-5)


@pytest.mark.usefixtures("one_worker")
def test_a_broken_image_ends_in_one_line_and_leaves_the_earlier_results(run: RunFolder, tmp_path: Path):
    rows = small_rows(6)
    broken = [*rows[:4], type(rows[4])("broken-one", b"no image", None, 0)]
    write_dataset(tmp_path / "broken", {"test": broken}, CLASSES)
    before = (run.evaluation / "summary.json").read_bytes()
    with pytest.raises(UserError, match=r"^image broken-one: does not decode[^\n]*$"):
        evaluate_run(run, recipe_of(run, f"dataset.path={json.dumps(str(tmp_path / 'broken'))}"))
    assert (run.evaluation / "summary.json").read_bytes() == before
    assert not [path for path in run.path.iterdir() if path.name.startswith(".evaluation")]


def test_the_command(run: RunFolder, one_worker: Results):
    done = distxml("evaluate", run.path, "evaluation.methods=[in_model,random]", cwd=run.path.parent)
    assert done.returncode == 0, done.stderr
    assert "accuracy" in done.stdout
    assert "AOPC, 11 images" in done.stdout
    assert f"next: distxml report {shlex.quote(str(run.path))}" in done.stdout
    assert "evaluating: 30 of 30 images" in done.stderr
    found = load_results(run.evaluation)
    assert {row.method for row in found.summary.aopc} == {"in_model", "random"}
    assert_same(found.images, one_worker.images)
