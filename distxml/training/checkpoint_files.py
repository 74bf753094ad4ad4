"""The files of one checkpoint: written, compared with their checksums, read."""

from pathlib import Path

import torch
from pydantic import TypeAdapter

from distxml.checksums import damage_of_files, note_sums, read_checked
from distxml.errors import UserError, reason_of
from distxml.files import write_whole
from distxml.models.checkpoint import CARD_NAME, WEIGHTS_NAME, ModelCard, write_model
from distxml.training.learner import Learner
from distxml.training.state import TrainState

OPTIMIZER_NAME = "optimizer.pt"

STATE_NAME = "training_state.json"

_STATE = TypeAdapter(TrainState)


def write_checkpoint(folder: Path, learner: Learner, state: TrainState, card: ModelCard) -> None:
    """Write all files of a checkpoint, their checksums last.

    Args:
        folder: exists and is empty.
        learner: whose model, optimizer and schedule are saved.
        state: where training stands.
        card: of the model; what gates its classifier is the phase's.
    """
    gating = "white" if learner.phase.white_heatmap else "recompute"
    write_model(folder, learner.model, card.model_copy(update={"gating": gating}))
    moving = {"optimizer": learner.optimizer.state_dict(), "schedule": learner.schedule.state_dict()}
    torch.save(moving, folder / OPTIMIZER_NAME)
    write_whole(folder / STATE_NAME, _STATE.dump_json(state, indent=2) + b"\n")
    note_sums(folder)


def damage_of(folder: Path) -> str | None:
    """What is wrong with a checkpoint's files; None: nothing."""
    return damage_of_files(folder, (CARD_NAME, WEIGHTS_NAME, OPTIMIZER_NAME, STATE_NAME))


def read_state(folder: Path) -> TrainState:
    """Where training stood.

    Raises:
        UserError: it is not what was written, or another version of distxml wrote it.
    """
    try:
        return _STATE.validate_json(read_checked(folder, STATE_NAME))
    except ValueError as error:
        raise UserError(
            f"{folder / STATE_NAME}: not a training state ({reason_of(error)}); remove this checkpoint"
        ) from None
