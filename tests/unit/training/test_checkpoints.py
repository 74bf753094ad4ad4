"""Checkpoints that are cut short, damaged, or that the disk has no room for; runs that change their workers."""

import json
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.data.schema import open_dataset
from distxml.errors import UserError
from distxml.models.checkpoint import build_model, read_card
from distxml.training.checkpoints import CheckpointRef, Checkpoints
from distxml.training.driver import has_checkpoints
from distxml.training.learner import Learner
from distxml.training.run_claim import claim
from tests.flip_a_byte import flip_a_byte
from tests.unit.training.small_training import SHORT, events, small_recipe, small_trainer

WRITTEN = ("model.json", "model.safetensors", "optimizer.pt", "training_state.json")


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> RunFolder:
    return RunFolder(Path(shutil.copytree(small_recipe(trained).run_folder, tmp_path / "run")))


def checkpoints(run: RunFolder) -> Checkpoints:
    return Checkpoints(run, read_card(run.checkpoint(PhaseName.CLASSIFIER, "last")), run.attempt.read_text())


def small_learner(run: RunFolder) -> Learner:
    card = read_card(run.checkpoint(PhaseName.CLASSIFIER, "last"))
    return Learner.build(run.recipe(), PhaseName.JOINT, build_model(card), None)


def test_the_newest_is_taken(run: RunFolder) -> None:
    found = checkpoints(run).find_newest()
    assert found.checkpoint == CheckpointRef(PhaseName.JOINT, "last") and not found.skipped


@pytest.mark.parametrize("name", [*WRITTEN, "SHA256SUMS"])
@pytest.mark.parametrize("how", ["truncated", "a flipped bit", "gone", "empty"])
def test_what_is_damaged_is_passed_over(run: RunFolder, name: str, how: str) -> None:
    file = run.checkpoint(PhaseName.JOINT, "last") / name
    content = file.read_bytes()
    file.unlink()  # `healthy` and `last` may share the file
    place = content.find(b'"epoch": 2') + 9 if name == "training_state.json" else len(content) - 9
    flipped = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
    damaged = {"truncated": content[:-7], "a flipped bit": flipped}
    if how != "gone":
        file.write_bytes(damaged.get(how, b""))
    found = checkpoints(run).find_newest()
    assert found.checkpoint == CheckpointRef(PhaseName.JOINT, "previous")
    assert (
        len(found.skipped) == 1
        and str(run.checkpoint(PhaseName.JOINT, "last")) in found.skipped[0]
        and name in found.skipped[0]
    )


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_damaged_is_loaded_by_nobody(run: RunFolder, name: str) -> None:
    """Not even between the comparison that finds the newest checkpoint and the loading of it."""
    last = CheckpointRef(PhaseName.JOINT, "last")
    ours, learner = checkpoints(run), small_learner(run)
    flip_a_byte(ours.folder(last.phase, last.name) / name)
    with pytest.raises(UserError, match=rf"{name} is not what was written.*; copy the checkpoint again"):
        _ = ours.state(last), ours.model(last.phase, last.name), ours.restore_optimizer(last, learner)


def test_a_damaged_card_does_not_keep_a_run_from_resuming(run: RunFolder) -> None:
    dataset = open_dataset(run.recipe().dataset.path)
    for name in ("last", "previous"):
        flip_a_byte(run.checkpoint(PhaseName.JOINT, name) / "model.json")
    assert has_checkpoints(run, dataset)
    for card in run.path.glob("checkpoints/*/*/model.json"):
        card.unlink()
    assert not has_checkpoints(run, dataset)


def test_where_a_phase_has_no_intact_checkpoint_the_one_before_it_is_taken(run: RunFolder) -> None:
    for name in ("last", "previous", "healthy"):
        (run.checkpoint(PhaseName.JOINT, name) / "training_state.json").write_text("{")
    found = checkpoints(run).find_newest()
    assert found.checkpoint == CheckpointRef(PhaseName.EXPLAINER, "last") and len(found.skipped) == 3


def test_a_crash_between_the_renames_leaves_the_previous_one(run: RunFolder) -> None:
    run.checkpoint(PhaseName.JOINT, "last").rename(
        run.checkpoint(PhaseName.JOINT, "last").with_name(".last.0123.unfinished")
    )
    assert checkpoints(run).find_newest().checkpoint == CheckpointRef(PhaseName.JOINT, "previous")


def test_a_crash_between_the_renames_of_a_named_one_leaves_the_one_before(run: RunFolder) -> None:
    healthy = run.checkpoint(PhaseName.JOINT, "healthy")
    expected = checkpoints(run).state(CheckpointRef(PhaseName.JOINT, "healthy"))
    healthy.rename(healthy.with_name("healthy.old"))
    assert checkpoints(run).state(CheckpointRef(PhaseName.JOINT, "healthy")) == expected
    assert checkpoints(run).damage(PhaseName.JOINT, "healthy") is None
    for name in ("last", "previous"):
        shutil.rmtree(run.checkpoint(PhaseName.JOINT, name))
    assert checkpoints(run).find_newest().checkpoint == CheckpointRef(PhaseName.JOINT, "healthy")


@pytest.mark.parametrize("damaged", [True, False])
def test_a_phase_starts_from_the_last_weights_where_the_best_are_damaged(tmp_path: Path, damaged: bool) -> None:
    recipe = small_recipe(tmp_path, "phases.joint.start_from=best_loss", *SHORT)
    run = RunFolder(recipe.run_folder)
    small_trainer(recipe).fit()
    for name in ("last", "previous", "healthy"):
        shutil.rmtree(run.checkpoint(PhaseName.JOINT, name))
    if damaged:
        (run.checkpoint(PhaseName.EXPLAINER, "best_loss") / "model.safetensors").unlink()
    small_trainer(recipe).fit()
    told = [event["message"] for event in events(recipe, "notice")]
    told = [line for line in told if "the joint phase starts from the last weights of the explainer phase" in line]
    assert len(told) == damaged


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """The kernel refuses to write more, as it does on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_no_room_for_a_checkpoint_is_one_clear_error_and_loses_nothing(tmp_path: Path) -> None:
    recipe = small_recipe(tmp_path, *SHORT)
    run = RunFolder(recipe.run_folder)
    trainer = small_trainer(recipe)
    with no_file_larger_than(3000), pytest.raises(UserError, match=r"could not be written .*; free some space"):
        trainer.fit()
    assert not list(run.path.glob("checkpoints/*/.*"))
    small_trainer(recipe).fit()
    assert run.checkpoint(PhaseName.JOINT, "last").is_dir()


def test_another_driver_stops_this_one(tmp_path: Path) -> None:
    recipe = small_recipe(tmp_path)
    trainer = small_trainer(recipe)
    RunFolder(recipe.run_folder).attempt.write_text("another")
    with pytest.raises(UserError, match="has taken over"):
        trainer.fit()


def test_fewer_workers_keep_the_batch_and_what_is_computed_at_once(tmp_path: Path) -> None:
    """Batch 4: two workers compute 2 images each; so does one worker afterwards, twice per step."""
    two = small_recipe(tmp_path, "scaling.workers=2")
    run, dataset = RunFolder(two.run_folder), open_dataset(two.dataset.path)
    run.path.mkdir(parents=True)
    assert claim(run, two, dataset).notices == []
    one = small_recipe(tmp_path, "scaling.workers=1")
    for expected in (1, 0):  # the second time the number is the same, but the micro-batches stay
        claimed = claim(run, one, dataset)
        assert claimed.recipe.compute.micro_batch == 2 and len(claimed.notices) == expected
    more = claim(run, small_recipe(tmp_path, "scaling.workers=4"), dataset)
    assert more.recipe.compute.micro_batch is None
    assert more.notices == ["resumes with 4 workers instead of 1; the global batch stays 4"]


def test_the_environment_of_every_start_is_kept(tmp_path: Path) -> None:
    recipe = small_recipe(tmp_path)
    run, dataset = RunFolder(recipe.run_folder), open_dataset(recipe.dataset.path)
    run.path.mkdir(parents=True)
    started: list[str] = []
    for _ in range(3):
        claim(run, recipe, dataset)
        now = json.loads(run.environment.read_text())
        assert [start["started"] for start in now.get("earlier", [])] == started
        assert all("torch" in start and "earlier" not in start for start in now.get("earlier", []))
        started.append(now["started"])
