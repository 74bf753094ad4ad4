"""Checkpoints of a run: written whole or not at all, found again after a crash."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import torch
from torch.optim import Optimizer

from distxml.config.run_folder import CheckpointName, RunFolder
from distxml.errors import UserError
from distxml.models.checkpoint import LoadedModel, ModelCard, load_model, save_model
from distxml.training.learner import Learner
from distxml.training.phases import Schedule
from distxml.training.state import TrainState

OPTIMIZER_NAME = "optimizer.pt"
STATE_NAME = "training_state.json"
PHASES = (1, 2, 3)


class Checkpoints:
    """Reads and writes the checkpoint folders of one run."""

    def __init__(self, run: RunFolder, card: ModelCard, attempt: str) -> None:
        """`attempt`: token of the driver that started this worker; see `check_still_ours`."""
        self.run = run
        self.card = card
        self.attempt = attempt

    def save(self, learner: Learner, state: TrainState, best: list[str]) -> None:
        """Write `best`'s names, then `last`: a crash before the end redoes the epoch."""
        phase = state.phase
        fresh = self.run.checkpoint(phase, "last").with_name("last.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        save_model(fresh, learner.model, self.card)
        moving = {"optimizer": learner.optimizer.state_dict(), "schedule": learner.schedule.state_dict()}
        torch.save(moving, fresh / OPTIMIZER_NAME)
        (fresh / STATE_NAME).write_text(json.dumps(asdict(state), indent=2) + "\n")
        for name in best:
            copy = fresh.with_name(f"{name}.new")
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(fresh, copy)
            _replace(copy, fresh.with_name(name))
        _replace(fresh, self.run.checkpoint(phase, "last"))

    def newest_state(self) -> TrainState | None:
        """Where an interrupted run stopped; None for a fresh run."""
        for phase in reversed(PHASES):
            folder = self._find(phase, "last")
            if folder is not None:
                return _read_state(folder)
        return None

    def load(self, phase: int, name: CheckpointName) -> LoadedModel:
        """The model of a checkpoint of this run."""
        folder = self._find(phase, name)
        if folder is None:
            raise UserError(f"checkpoint {self.run.checkpoint(phase, name)}: is missing; train from the start")
        return load_model(folder)

    def restore_optimizer(self, phase: int, optimizer: Optimizer, schedule: Schedule) -> None:
        """Optimizer and schedule as they were at the end of the phase's `last` checkpoint."""
        folder = self._find(phase, "last")
        assert folder is not None, "only called where newest_state found one"
        try:
            saved = torch.load(folder / OPTIMIZER_NAME, map_location="cpu", weights_only=True)
            optimizer.load_state_dict(saved["optimizer"])
            schedule.load_state_dict(saved["schedule"])
        except Exception as error:  # a damaged file ends in many kinds of errors
            reason = str(error).strip().split("\n")[0]
            raise UserError(f"{folder / OPTIMIZER_NAME}: cannot be loaded ({reason}); remove this checkpoint") from None

    def check_still_ours(self) -> None:
        """A driver that was killed may leave workers behind; they must not write once a new driver has started."""
        if self.run.attempt.read_text() != self.attempt:
            raise UserError(f"run {self.run.path}: another `distxml train` has taken over; this one stops")

    def _find(self, phase: int, name: CheckpointName) -> Path | None:
        """The checkpoint's folder; the one that it was replacing if a crash came between the two renames."""
        folder = self.run.checkpoint(phase, name)
        replaced = folder.with_name(f"{name}.old")
        return next((place for place in (folder, replaced) if (place / STATE_NAME).is_file()), None)


def _replace(fresh: Path, target: Path) -> None:
    old = target.with_name(f"{target.name}.old")
    if target.exists():
        shutil.rmtree(old, ignore_errors=True)
        target.rename(old)
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _read_state(folder: Path) -> TrainState:
    try:
        return TrainState(**json.loads((folder / STATE_NAME).read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{folder / STATE_NAME}: not a training state ({error}); remove this checkpoint") from None
