"""The files of one checkpoint: written, compared with their checksums, read."""

from pathlib import Path

import torch
from pydantic import BaseModel, TypeAdapter

from distxml.digest import digest_of, file_digest
from distxml.errors import UserError, reason_of
from distxml.files import write_whole
from distxml.models.checkpoint import ModelCard, save_model
from distxml.training.learner import Learner
from distxml.training.state import TrainState

OPTIMIZER_NAME = "optimizer.pt"

STATE_NAME = "training_state.json"

_STATE = TypeAdapter(TrainState)


class SavedState(BaseModel):
    """`training_state.json`, which is written last: where training stood, and the SHA-256 of each file and of that."""

    state: TrainState
    sha256: dict[str, str]


def write_checkpoint(folder: Path, learner: Learner, state: TrainState, card: ModelCard) -> None:
    """Write all files of a checkpoint, the state last.

    Args:
        folder: exists and is empty.
        learner: whose model, optimizer and schedule are saved.
        state: where training stands.
        card: of the model.
    """
    save_model(folder, learner.model, card)
    moving = {"optimizer": learner.optimizer.state_dict(), "schedule": learner.schedule.state_dict()}
    torch.save(moving, folder / OPTIMIZER_NAME)
    sums = {path.name: file_digest(path) for path in sorted(folder.iterdir())} | {STATE_NAME: _digest(state)}
    write_whole(folder / STATE_NAME, SavedState(state=state, sha256=sums).model_dump_json(indent=2) + "\n")


def damage_of(folder: Path) -> str | None:
    """What is wrong with a checkpoint's files; None: nothing."""
    try:
        saved = read_state(folder)
        found = {name: file_digest(folder / name) for name in saved.sha256} | {STATE_NAME: _digest(saved.state)}
        changed = [name for name, expected in saved.sha256.items() if found[name] != expected]
    except (UserError, OSError) as error:
        return str(error)
    return f"{', '.join(changed)} is not what was written" if changed else None


def _digest(state: TrainState) -> str:
    return digest_of(_STATE.dump_json(state))


def read_state(folder: Path) -> SavedState:
    """Where training stood.

    Raises:
        UserError: the file is not what training writes.
        OSError: it cannot be read.
    """
    path = folder / STATE_NAME
    try:
        return SavedState.model_validate_json(path.read_bytes())
    except ValueError as error:
        raise UserError(f"{path}: not a training state ({reason_of(error)}); remove this checkpoint") from None
