"""A trial that takes phases from the store ends as one that trained them itself; and nobody trains one twice."""

import json
import multiprocessing
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from distxml.config import Recipe
from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.data.schema import open_dataset
from distxml.errors import UnrecoverableError
from distxml.training.run_claim import claim
from distxml.tuning.phase_cache import shared as shared_phases
from distxml.tuning.phase_cache.key import PhaseKey, phase_keys
from distxml.tuning.phase_cache.shared import SharedPhases, ended
from distxml.tuning.phase_cache.store import KEPT, PhaseStore
from distxml.tuning.trial_history import TrialHistory
from tests.unit.training.small_training import SHORT, KeptEvents, events, small_recipe, small_trainer, weights_of

CLASSIFIER, EXPLAINER, JOINT = PhaseName

UNGUARDED = ("guard.black_share=null", "guard.same_below=null", "guard.white_steps=null")
LAST = (*UNGUARDED, *SHORT, "loss.beta=0.8")
BEST = (
    *UNGUARDED,
    "phases.explainer.start_from=best_loss",
    "phases.joint.start_from=best_loss",
    "optimizer.name=adamw",
    "loss.beta=0.8",
)
VARIANTS = {"last weights": LAST, "best weights": BEST}


def shared(recipe: Recipe, store: PhaseStore) -> SharedPhases:
    """What a trial does before it trains: claims its folder first."""
    dataset = open_dataset(recipe.dataset.path)
    run = RunFolder(recipe.run_folder)
    run.path.mkdir(parents=True, exist_ok=True)
    claim(run, recipe, dataset)
    return SharedPhases(store, phase_keys(recipe, dataset.metadata), run, recipe)


def train(recipe: Recipe, phases: SharedPhases) -> dict[str, torch.Tensor]:
    """Train what is left, publishing as it goes; the weights."""
    trainer = small_trainer(recipe, KeptEvents(on_event=phases.note))
    trainer.fit()
    phases.publish_ended()
    phases.close()
    return {name: value.clone() for name, value in trainer.model.state_dict().items()}


def figures(recipe: Recipe) -> list[dict]:
    """All epochs, but for their times."""
    names = ("phase", "epoch", "global_epoch", "train", "val", "lr_classifier", "lr_explainer")
    return [{name: event[name] for name in names} for event in events(recipe, "epoch")]


def assert_close(ours: list[dict], theirs: list[dict]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        for part in ("train", "val"):
            assert one[part] == pytest.approx(other[part], rel=1e-12)
        plain = ("phase", "epoch", "global_epoch", "lr_classifier", "lr_explainer")
        assert [one[name] for name in plain] == [other[name] for name in plain]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Of a variant, a folder with a dataset, the store, and in `runs/first` the trial that filled it."""

    @cache
    def make(name: str) -> Path:
        folder = tmp_path_factory.mktemp("filled")
        first = small_recipe(folder, *VARIANTS[name], "run.name=first")
        begin = shared(first, PhaseStore(folder / "store"))
        assert begin.take() is True and begin.run.metrics.exists() is False
        train(first, begin)
        return folder

    return make


@pytest.mark.parametrize("name", list(VARIANTS))
def test_the_same_weights_as_alone(filled, tmp_path: Path, name: str) -> None:
    place = Path(shutil.copytree(filled(name), tmp_path / "place"))
    store, own = PhaseStore(place / "store"), VARIANTS[name]
    epochs = 1 if own is LAST else 2
    cases = {
        "classifier": ("loss.beta=0.6", "loss.kind=hybrid", "phases.explainer.lr_explainer=0.03"),
        "classifier and explainer": ("phases.joint.alpha=0.7", "phases.joint.lr_explainer=0.03"),
    }
    for count, (case, settings) in enumerate(cases.items(), start=1):
        taking = small_recipe(place, *own, *settings, f"run.name=taking {count}")
        alone = small_recipe(place, *own, *settings, f"run.name=alone {count}")
        phases = shared(taking, store)
        assert phases.take() is True
        time.sleep(1.1 * (count == 1))  # TensorBoard sorts event files by the second
        weights = train(taking, phases)
        expected = train(alone, shared(alone, PhaseStore(place / f"nobody {count}")))
        assert all(torch.equal(weights[key], expected[key]) for key in expected), case
        assert_close(figures(taking), figures(alone))
        taken = TrialHistory(RunFolder(taking.run_folder)).update()
        assert taken.epochs == dict.fromkeys(PhaseName, epochs) and set(taken.taken) == set(list(PhaseName)[:count])
        if count == 1:
            board = EventAccumulator(str(RunFolder(taking.run_folder).tensorboard)).Reload()
            assert len(board.Scalars("accuracy/val")) == 3 * epochs
        for phase in PhaseName:
            assert ended(RunFolder(taking.run_folder), phase)


@pytest.fixture
def place(filled, tmp_path: Path) -> Path:
    """A copy of what was trained with `LAST`."""
    return Path(shutil.copytree(filled("last weights"), tmp_path / "place"))


def test_an_identical_trial_trains_nothing(place: Path) -> None:
    store = PhaseStore(place / "store")
    first, again = (small_recipe(place, *LAST, f"run.name={name}") for name in ("first", "again"))
    weights = weights_of(first)
    phases = shared(again, store)
    assert phases.take() is False
    run = RunFolder(again.run_folder)
    assert run.finished.exists() and figures(again) == figures(first)
    assert sum(each["epochs"] for each in TrialHistory(run).update().taken.values()) == 3
    trainer = small_trainer(again)
    trainer.fit()
    assert all(torch.equal(trainer.model.state_dict()[key], weights[key]) for key in weights)


def test_a_run_that_is_started_again_publishes_what_it_had_ended_and_took_nothing(place: Path) -> None:
    shutil.rmtree(place / "store")
    store, recipe = PhaseStore(place / "store"), small_recipe(place, *LAST, "run.name=first")
    shutil.rmtree(RunFolder(recipe.run_folder).checkpoint(JOINT, "last").parent)
    again = shared(recipe, store)
    assert again.take() is True
    assert (
        store.find(again.keys[CLASSIFIER]) and store.find(again.keys[EXPLAINER]) and not store.find(again.keys[JOINT])
    )
    assert TrialHistory(again.run).update().taken == {}
    again.close()


def test_damaged_phases_are_trained_anew(place: Path) -> None:
    store = PhaseStore(place / "store")
    other = small_recipe(place, *LAST, "run.name=other", "phases.joint.alpha=0.9")
    phases = shared(other, store)
    weights = store.folder / phases.keys[EXPLAINER].name / "last" / "model.safetensors"
    whole = weights.read_bytes()
    weights.unlink()
    weights.write_bytes(whole[:-9])
    assert phases.take() is True
    assert set(TrialHistory(phases.run).update().taken) == {CLASSIFIER} and not weights.exists()
    phases.close()
    assert not [path for path in store.folder.iterdir() if path.name.startswith(".")]


def test_one_trains_and_the_other_waits_and_takes(tmp_path: Path) -> None:
    store = PhaseStore(tmp_path / "store")
    first = small_recipe(tmp_path, *SHORT, "run.name=first")
    second = small_recipe(tmp_path, *SHORT, "run.name=second", "phases.joint.alpha=0.9")
    waited: list[PhaseName] = []
    begin = shared(first, store)
    assert begin.take() is True
    later = shared(second, store)
    later.waiting = waited.append
    done: list[bool] = []
    thread = threading.Thread(target=lambda: done.append(later.take()))
    thread.start()
    time.sleep(0.2)
    assert thread.is_alive()
    train(first, begin)
    thread.join(20)
    assert done == [True] and waited == [EXPLAINER]
    assert set(TrialHistory(later.run).update().taken) == {CLASSIFIER, EXPLAINER}
    later.close()


def hold_until_killed(store: Path, key: PhaseKey, held: "multiprocessing.synchronize.Event") -> None:  # pyright: ignore
    lock = PhaseStore(store).try_to_hold(key)
    assert lock
    held.set()
    time.sleep(600)


@pytest.mark.slow
def test_the_right_to_train_ends_with_the_process_that_had_it(tmp_path: Path) -> None:
    store, key = PhaseStore(tmp_path / "store"), PhaseKey(CLASSIFIER, {"a": 1})
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    holder = context.Process(target=hold_until_killed, args=(store.folder, key, held), daemon=True)
    holder.start()
    assert held.wait(60)
    assert store.try_to_hold(key) is None
    assert holder.pid
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    lock = store.try_to_hold(key)
    assert lock
    lock.release()


def test_what_leads_nowhere_is_found_out_once(tmp_path: Path) -> None:
    store = PhaseStore(tmp_path / "store")
    unrecoverable = (*SHORT, "guard.tries=0", "guard.white_steps=3")
    first = small_recipe(tmp_path, "run.name=first", *unrecoverable)
    begin = shared(first, store)
    assert begin.take()
    with pytest.raises(UnrecoverableError, match="phase 2, explainer: the heatmap stays white") as caught:
        train(first, begin)
    begin.give_up(caught.value)
    begin.close()
    second = shared(small_recipe(tmp_path, "run.name=second", *unrecoverable, "phases.joint.alpha=0.9"), store)
    with pytest.raises(UnrecoverableError, match=r"stays white.*another trial"):
        second.take()
    second.close()
    other = shared(small_recipe(tmp_path, "run.name=other", *unrecoverable, "phases.explainer.lr_explainer=0.5"), store)
    assert other.take() is True
    other.close()


class Killed(BaseException):
    """Takes the place of kill -9."""


@pytest.mark.parametrize("links", range(1, 7))
def test_a_kill_while_phases_are_taken(filled, links: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between any two of the six checkpoints that are linked into the run: the second start takes all of it."""
    folder = filled("best weights")
    store = PhaseStore(folder / "store")
    recipe = small_recipe(folder, *BEST, f"run.name=taking {links}", "phases.joint.alpha=0.9")
    left, real = [links], shared_phases.copy_folder

    def copy(source: Path, target: Path) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        real(source, target)

    monkeypatch.setattr(shared_phases, "copy_folder", copy)
    killed = shared(recipe, store)
    with pytest.raises(Killed):
        killed.take()
    killed.close()
    monkeypatch.setattr(shared_phases, "copy_folder", real)
    again = shared(recipe, store)
    assert again.take() is True
    assert all(again.run.checkpoint(phase, name).is_dir() for phase in (CLASSIFIER, EXPLAINER) for name in KEPT)
    found = TrialHistory(again.run).update()
    assert set(found.taken) == {CLASSIFIER, EXPLAINER}
    assert found.epochs == {CLASSIFIER: 2, EXPLAINER: 2, JOINT: 0}
    again.close()


def test_a_store_that_cannot_be_written_costs_nothing_but_sharing(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    recipe, said = small_recipe(tmp_path, *SHORT, "run.name=first"), []
    begin = shared(recipe, PhaseStore(tmp_path / "store"))
    begin.tell = said.append
    assert begin.take() is True
    for lock in (tmp_path / "store").glob("*.lock"):
        assert lock.is_file()
    shutil.move(tmp_path / "store", tmp_path / "gone")
    (tmp_path / "store").write_text("a file where the folder was")
    train(recipe, begin)
    assert [ended(begin.run, phase) for phase in PhaseName] == [True] * 3
    assert len(said) == 1 and said[0].startswith("phases are not shared: store "), "said once"
    assert not begin._held
    later = shared(small_recipe(tmp_path, *SHORT, "run.name=second"), PhaseStore(tmp_path / "store"))
    later.tell = said.append
    assert later.take() is True, "it trains for itself"
    assert len(said) == 2


def test_a_sweep_that_is_made_again_under_its_name_counts_what_it_takes(place: Path) -> None:
    store, recipe = PhaseStore(place / "store"), small_recipe(place, *LAST, "run.name=first")
    shutil.rmtree(recipe.run_folder)
    assert shared(recipe, store).take() is False
    assert set(TrialHistory(RunFolder(recipe.run_folder)).update().taken) == set(PhaseName)
    assert TrialHistory(RunFolder(recipe.run_folder)).update().seconds == 0


def test_a_run_whose_end_was_not_noted_is_ended(place: Path) -> None:
    recipe = small_recipe(place, *LAST, "run.name=first")
    assert not RunFolder(recipe.run_folder).finished.exists()  # a worker writes it; the process died before
    again = shared(recipe, PhaseStore(place / "store"))
    assert again.take() is True, "training has to end it"
    again.close()


def test_an_entry_says_what_it_is(place: Path) -> None:
    recipe = small_recipe(place, *LAST, "run.name=first")
    keys = phase_keys(recipe, open_dataset(recipe.dataset.path).metadata)
    content = json.loads((place / "store" / keys[CLASSIFIER].name / "entry.json").read_text())
    assert content["made_by"].endswith("runs/first") and content["epochs"] == 1
    assert (
        content["depends"]["settings"]["run"] == {"checkpoint_steps": None, "seed": 0}
        and "loss" in content["depends"]["settings"]
    )
    assert {line["phase"] for line in content["log"]} == {CLASSIFIER}
