"""Phases that are trained once and reused by every trial that agrees on what they depend on.

A folder that all nodes share. An entry is a folder that gets its name when it is complete, and is never changed. Who
trains a phase holds a lock on its key; the system releases it should that process die.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from distxml.config.phases import PhaseName
from distxml.config.run_folder import CheckpointName, RunFolder
from distxml.errors import InfrastructureError, reason_of
from distxml.files import copy_folder, new_folder, present_folder, remove_folder, write_whole
from distxml.locks import Lock, try_lock
from distxml.training.checkpoint_files import damage_of
from distxml.tuning.phase_cache.key import PhaseKey

ENTRY_NAME = "entry.json"
KEPT: tuple[CheckpointName, ...] = ("last", "best_loss", "best_accuracy")
"""Checkpoints of a phase that a later one, or the evaluator, may start from; the first says that it has ended."""


class PhaseEntry(BaseModel):
    """`entry.json`: a phase that somebody has trained."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    phase: PhaseName
    """Its name."""
    made_by: str
    """Folder of the run that trained it."""
    epochs: int
    """Epochs that it took."""
    seconds: float
    """Seconds of these epochs."""
    log: tuple[dict[str, Any], ...]
    """Its events of `metrics.jsonl`."""
    depends: dict[str, Any]
    """What it depends on: the key's content."""
    written: str
    """When."""


@dataclass(frozen=True)
class StoredPhase:
    """An entry and where it lies."""

    folder: Path
    entry: PhaseEntry


class PhaseStore:
    """The phases in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, key: PhaseKey) -> bool:
        """Whether somebody has trained the phase; `find` also looks whether it is whole."""
        return (self.folder / key.name).is_dir()

    def find(self, key: PhaseKey) -> StoredPhase | None:
        """The phase, if somebody has trained it; a damaged one is removed.

        Raises:
            InfrastructureError: the store cannot be read.
        """
        folder = self.folder / key.name
        if not self.has(key):
            return None
        try:
            entry = PhaseEntry.model_validate_json((folder / ENTRY_NAME).read_bytes())
            damaged = any(_is_damaged(folder / name) for name in KEPT if (folder / name).exists() or name == "last")
        except (FileNotFoundError, ValueError):
            damaged, entry = True, None
        except OSError as error:  # of the disk, not of the entry
            raise InfrastructureError(f"store {self.folder}: cannot be read ({reason_of(error)}); mend it") from None
        if damaged or entry is None:
            remove_folder(folder)
            return None
        return StoredPhase(folder, entry)

    def publish(self, key: PhaseKey, run: RunFolder, log: list[dict[str, Any]]) -> None:
        """Add a phase that a run has ended; nothing happens where it is known.

        Args:
            key: what the phase depends on; names its folder in the store.
            run: whose checkpoints of that phase do not change any more.
            log: the phase's events.

        Raises:
            InfrastructureError: the store cannot be written.
        """
        target = self.folder / key.name
        if target.exists():
            return
        epochs = [event for event in log if event["event"] == "epoch"]
        entry = PhaseEntry(
            phase=key.phase,
            made_by=str(run.path),
            epochs=len(epochs),
            seconds=sum(event["seconds"] for event in epochs),
            log=tuple(log),
            depends=key.depends,
            written=datetime.now(UTC).isoformat("T", "seconds"),
        )
        try:
            with new_folder(target) as fresh:
                for name in KEPT:
                    source = present_folder(run.checkpoint(key.phase, name))
                    if source.exists():
                        copy_folder(source, fresh / name)
                write_whole(fresh / ENTRY_NAME, entry.model_dump_json(indent=2) + "\n")
        except OSError as error:
            if not target.exists():  # else somebody was faster
                raise self._unwritable(error) from None

    def try_to_hold(self, key: PhaseKey) -> Lock | None:
        """The right to train a phase; None while another process has it. Release it when the phase is published.

        Raises:
            InfrastructureError: the store cannot be written.
        """
        try:
            return try_lock(self.folder / f"{key.name}.lock")
        except OSError as error:
            raise self._unwritable(error) from None

    def failure(self, key: PhaseKey) -> str | None:
        """Why these settings lead nowhere, if somebody has found that out."""
        try:
            return str(json.loads(self._failure(key).read_bytes())["reason"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def note_failure(self, key: PhaseKey, reason: str) -> None:
        """The phase's settings lead nowhere.

        Raises:
            InfrastructureError: the store cannot be written.
        """
        try:
            write_whole(self._failure(key), json.dumps({"reason": reason}) + "\n")
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> InfrastructureError:
        return InfrastructureError(
            f"store {self.folder}: cannot be written ({reason_of(error)}); mend it, or choose another with store=FOLDER"
        )

    def _failure(self, key: PhaseKey) -> Path:
        return self.folder / f"{key.name}.failed.json"


def _is_damaged(checkpoint: Path) -> bool:
    """Whether it is not what was written.

    Raises:
        OSError: it cannot be read just now.
    """
    for path in checkpoint.iterdir():
        path.open("rb").close()
    return damage_of(checkpoint) is not None
