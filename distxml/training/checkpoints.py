"""Checkpoints of a run: written whole or not at all, checked by their checksums, found again after a crash."""

import time
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError

from distxml.checksums import read_checked
from distxml.config.phases import PhaseName
from distxml.config.run_folder import CheckpointName, RunFolder
from distxml.errors import InfrastructureError, UserError, reason_of
from distxml.files import copy_folder, present_folder, remove_unfinished, whole_folder
from distxml.models.checkpoint import LoadedModel, ModelCard, load_model
from distxml.training.checkpoint_files import OPTIMIZER_NAME, damage_of, read_state, write_checkpoint
from distxml.training.distributed import from_first_rank
from distxml.training.learner import Learner
from distxml.training.state import TrainState, diverged

Resumable = Literal["last", "previous", "healthy"]
RESUMABLE: tuple[Resumable, ...] = ("last", "previous", "healthy")
NOT_THERE = -1


@dataclass(frozen=True)
class CheckpointRef:
    """A checkpoint that training can resume from."""

    phase: PhaseName
    name: Resumable


NEWEST_FIRST = tuple(CheckpointRef(phase, name) for phase in reversed(PhaseName) for name in RESUMABLE)
"""Every checkpoint that a run may have to resume from, in the order in which they are tried."""


@dataclass(frozen=True)
class ResumePoint:
    """The newest intact checkpoint, if any, and why newer ones were passed over."""

    checkpoint: CheckpointRef | None
    skipped: list[str]


FRESH_START = ResumePoint(None, [])


class Checkpoints:
    """Reads and writes the checkpoint folders of one run."""

    def __init__(self, run: RunFolder, card: ModelCard, attempt: str) -> None:
        """`attempt`: token of the driver that started this worker; see `check_still_ours`."""
        self.run = run
        self.card = card
        self.attempt = attempt
        self._saved = time.monotonic()

    def seconds_since_save(self) -> float:
        """Since the last checkpoint of this process, or since it began."""
        return time.monotonic() - self._saved

    def save(self, learner: Learner, state: TrainState, also: list[CheckpointName]) -> None:
        """Write `last`, keep the one before it as `previous`, and give the new one the names in `also` too.

        Raises:
            UserError: another driver has taken over, the weights are no numbers, or it cannot be written; older
                checkpoints are intact then.
        """
        self.check_still_ours()
        _check_weights(learner, state)
        last = self.run.checkpoint(state.phase, "last")
        try:
            remove_unfinished(last.parent)
            with whole_folder(last, keep_as=last.with_name("previous")) as fresh:
                write_checkpoint(fresh, learner, state, self.card)
                for name in also:
                    copy_folder(fresh, last.with_name(name))
            same = {last.with_name(name): last for name in also}
            self.run.publish(last, self.run.metrics, kept={last.with_name("previous"): last}, also=same)
            self._saved = time.monotonic()
        except (OSError, RuntimeError, SafetensorError) as error:
            raise InfrastructureError(
                f"run {self.run}: a checkpoint of the {state.phase} phase could not be written "
                f"({reason_of(error)}); free some space, then the same command resumes from the checkpoint before it"
            ) from None

    def find_newest(self) -> ResumePoint:
        """The newest checkpoint whose files are what was written."""
        skipped: list[str] = []
        for checkpoint in NEWEST_FIRST:
            folder = self.folder(checkpoint.phase, checkpoint.name)
            if not folder.exists():
                continue
            damage = damage_of(folder)
            if damage is None:
                return ResumePoint(checkpoint, skipped)
            skipped.append(f"skipped checkpoint {self.run.named(folder)}: {damage}")
        return ResumePoint(None, skipped)

    def find_newest_together(self, is_first: bool, device: torch.device) -> ResumePoint:
        """What `find_newest` says on the first rank; every rank must call it. `skipped` is for the first rank alone."""
        found = self.find_newest() if is_first else FRESH_START
        index = NEWEST_FIRST.index(found.checkpoint) if found.checkpoint else NOT_THERE
        (index,) = from_first_rank([index], device)
        return ResumePoint(None if index == NOT_THERE else NEWEST_FIRST[index], found.skipped)

    def damage(self, phase: PhaseName, name: CheckpointName) -> str | None:
        """What is wrong with a checkpoint's files; None: nothing."""
        return damage_of(self.folder(phase, name))

    def folder(self, phase: PhaseName, name: CheckpointName) -> Path:
        """Where a checkpoint is, on this node."""
        folder = self.run.checkpoint(phase, name)
        self.run.fetch(folder)
        return present_folder(folder)

    def state(self, checkpoint: CheckpointRef) -> TrainState:
        """Where training stood."""
        return read_state(self.folder(checkpoint.phase, checkpoint.name))

    def model(self, phase: PhaseName, name: CheckpointName) -> LoadedModel:
        """The model of a checkpoint of this run."""
        return load_model(self.folder(phase, name))

    def restore_optimizer(self, checkpoint: CheckpointRef, learner: Learner) -> None:
        """Optimizer and schedule as they were."""
        folder = self.folder(checkpoint.phase, checkpoint.name)
        content = read_checked(folder, OPTIMIZER_NAME)
        try:
            saved = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
            learner.optimizer.load_state_dict(saved["optimizer"])
            learner.schedule.load_state_dict(saved["schedule"])
        except Exception as error:  # what another version wrote ends in many kinds of errors
            raise UserError(
                f"{folder / OPTIMIZER_NAME}: cannot be loaded ({reason_of(error)}); remove this checkpoint"
            ) from None

    def check_still_ours(self) -> None:
        """See `RunFolder.check_still_ours`."""
        self.run.check_still_ours(self.attempt)


def _check_weights(learner: Learner, state: TrainState) -> None:
    """The loss that was computed last is of the weights before the last step: they say nothing of these."""
    values = learner.model.state_dict().values()
    if not all(bool(value.isfinite().all()) for value in values if value.is_floating_point()):
        raise diverged(state, "the weights are no finite numbers any more")
