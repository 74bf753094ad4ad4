"""Which runs are summarized together: trainings of one recipe that differ in seed and name alone; and the words that
name them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from distxml.cli.main import app
from distxml.config.evaluation_request import override_recipe, runs_and_overrides
from distxml.config.run_folder import RunFolder
from distxml.errors import UserError
from distxml.evaluation.several_runs.comparable import notes_on_seeds
from distxml.evaluation.several_runs.evaluate import prepare_several
from tests.made_once import made_once
from tests.small_dataset import write_dataset
from tests.unit.evaluation.several_runs.runs_on_disk import make_runs, rows
from tests.unit.evaluation.small_model import CLASSES


@pytest.fixture
def pair(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> list[RunFolder]:
    """Two runs of one's own, not evaluated, and their dataset."""
    made = made_once(tmp_path_factory, "two runs", lambda folder: make_runs(folder, 2, evaluated=False))
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return [RunFolder(tmp_path / f"seed-{seed}") for seed in range(2)]


def refusal(runs: list[RunFolder], *overrides: str) -> str:
    """The one line that the user reads."""
    with pytest.raises(UserError) as caught:
        prepare_several(runs, [override_recipe(run.recipe(), list(overrides), str(run.config)) for run in runs])
    assert "\n" not in str(caught.value)
    return str(caught.value)


def change(run: RunFolder, place: str, value: Any) -> None:
    """A setting of the run's recipe."""
    recipe = json.loads(run.config.read_text())
    tree, (*parents, name) = recipe, place.split(".")
    for parent in parents:
        tree = tree[parent]
    tree[name] = value
    run.config.write_text(json.dumps(recipe))


def test_other_seeds_names_and_machines_are_no_difference(pair: list[RunFolder]):
    change(pair[1], "scaling.workers", 2)
    change(pair[1], "loader.threads", 3)
    change(pair[1], "run.gallery", 1)
    assert len(prepare_several(pair, [run.recipe() for run in pair])) == 2


@pytest.mark.parametrize(
    ("place", "value", "was"),
    [
        ("loss.beta", 0.5, 0.8),
        ("phases.joint.alpha", 0.25, 0.75),
        ("model.width", 8, 32),
    ],
)
def test_another_setting_is_named_with_both_values(pair: list[RunFolder], place: str, value: Any, was: Any):
    change(pair[1], place, value)
    said = refusal(pair)
    assert said.startswith(f"run {pair[1].path}: {place} is {value}, not {was} as in run {pair[0].path}; ")
    assert said.endswith("leave it out, or train it again with the same settings")


def test_another_setting_of_the_evaluation_is_mended_in_the_command(pair: list[RunFolder]):
    change(pair[1], "evaluation.steps", 3)
    assert refusal(pair).endswith("give evaluation.steps=... in the command, for all of them")
    recipes = [override_recipe(run.recipe(), ["evaluation.steps=5"], str(run.config)) for run in pair]
    assert len(prepare_several(pair, recipes)) == 2


def test_many_differences_are_counted(pair: list[RunFolder]):
    for place, value in (("beta", 0.1), ("gamma", 0.1), ("kind", "unsupervised"), ("class_weights", [1.0, 2.0])):
        change(pair[1], f"loss.{place}", value)
    assert "and 1 more settings differ" in refusal(pair)


def test_another_dataset_is_refused(pair: list[RunFolder]):
    other = pair[0].path.parent / "other"
    write_dataset(other, {"test": rows()[:20]}, CLASSES)
    change(pair[1], "dataset.path", str(other))
    said = refusal(pair)
    assert f"would be scored on dataset {other}" in said and "dataset.path=..." in said
    change(pair[1], "dataset.path", str(pair[0].path.parent / "dataset"))
    for run, text in zip(pair, ("{}", "{ }"), strict=True):
        run.dataset.write_text(text)
    assert "was trained on another dataset than run" in refusal(pair)


def test_a_dataset_that_lies_elsewhere_is_the_same(pair: list[RunFolder]):
    copy = shutil.copytree(pair[0].path.parent / "dataset", pair[0].path.parent / "copy")
    change(pair[1], "dataset.path", str(copy))
    assert len(prepare_several(pair, [run.recipe() for run in pair])) == 2


def test_a_run_that_is_named_twice_is_refused(pair: list[RunFolder]):
    link = pair[0].path.with_name("link")
    link.symlink_to(pair[0].path)
    assert refusal([pair[0], pair[0]]) == f"run {pair[0].path}: is named twice; name each run once"
    slash = RunFolder(Path(f"{pair[0].path}/"))
    assert "is named twice" in refusal([pair[0], pair[1], slash])
    assert refusal([pair[0], RunFolder(link)]) == (
        f"run {link}: is named twice (it is {pair[0].path}); name each run once"
    )


def test_a_copy_of_a_run_is_refused(pair: list[RunFolder]):
    copy = RunFolder(Path(shutil.copytree(pair[0].path, pair[0].path.with_name("copy"))))
    change(copy, "run.seed", 7)
    said = refusal([*pair, copy])
    assert said.startswith(f"run {copy.path}: has the same weights as run {pair[0].path}, so it is no second training;")


def test_unfinished_training_is_refused(pair: list[RunFolder]):
    pair[1].finished.unlink()
    assert refusal(pair).startswith(f"run {pair[1].path}: its training is not finished; finish it (`distxml train`")


def test_one_seed_twice_is_told(pair: list[RunFolder]):
    evaluations = prepare_several(pair, [run.recipe() for run in pair])
    assert not list(notes_on_seeds(pair, evaluations))
    change(pair[1], "run.seed", 0)
    (note,) = notes_on_seeds(pair, prepare_several(pair, [run.recipe() for run in pair]))
    assert "have the same run.seed (0)" in note


def test_words_are_runs_or_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "lr=0.1", "b c"):
        Path(name).mkdir()
    words = ["a", "evaluation.steps=3", "lr=0.1", "b c", "dataset.path=/a"]
    runs, overrides = runs_and_overrides(words)
    assert runs == ["a", "lr=0.1", "b c"]
    assert overrides == ["evaluation.steps=3", "dataset.path=/a"]
    uri = "s3://bucket/run?endpoint_override=http://127.0.0.1:9000"
    assert runs_and_overrides([uri, uri, "dataset.path=s3://bucket/data"]) == (
        [uri, uri],
        ["dataset.path=s3://bucket/data"],
    )
    assert runs_and_overrides(["not=there"]) == (["not=there"], [])
    with pytest.raises(UserError, match=r"^d: is neither the folder of a run nor a setting; write settings as a\.b="):
        runs_and_overrides(["a", "d"])


def test_print_config_shows_every_run(pair: list[RunFolder]):
    words = ["evaluate", *(str(run.path) for run in pair), "evaluation.steps=7", "--print-config"]
    said = CliRunner().invoke(app, words)
    assert said.exit_code == 0, said.output
    shown = list(yaml.safe_load_all(said.output))
    assert [one["run"]["seed"] for one in shown] == [0, 1]
    assert [one["evaluation"]["steps"] for one in shown] == [7, 7]
    assert all(f"# {run.path}" in said.output for run in pair)


def test_runs_that_do_not_belong_together_are_refused_before_anything_is_written(pair: list[RunFolder]):
    change(pair[1], "loss.beta", 0.5)
    before = sorted(pair[0].path.parent.rglob("*"))
    said = CliRunner().invoke(app, ["evaluate", *(str(run.path) for run in pair)])
    assert isinstance(said.exception, UserError)
    assert sorted(pair[0].path.parent.rglob("*")) == before
