"""One trial and the store of phases: it takes what is there, trains what is not, and publishes that for the others."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from distxml.config import Recipe
from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.errors import InfrastructureError, UnrecoverableError, UserError, reason_of
from distxml.files import copy_folder, present_folder, write_whole
from distxml.locks import Lock
from distxml.losses import JointLoss
from distxml.monitoring.events import EpochEvent, Event, PhaseEndEvent
from distxml.monitoring.metrics_log import read_metrics
from distxml.monitoring.tensorboard import TensorBoard
from distxml.training.checkpoint_files import read_state
from distxml.training.run_claim import mark_finished
from distxml.tuning.phase_cache.key import PhaseKey
from distxml.tuning.phase_cache.store import KEPT, PhaseStore, StoredPhase

TAKEN_NAME = "taken.json"
"""In the run's folder: by phase, where it was taken from, and the epochs and seconds that this saved."""
Taken = dict[str, Any]
"""`made_by`, `epochs` and `seconds` of a phase that was taken."""
SECONDS_BETWEEN_TRIES = 0.5
PHASE_EVENTS = ("epoch", "phase_end", "guard")
"""Events of `metrics.jsonl` that belong to a phase, whoever trains it."""


def ended(run: RunFolder, phase: PhaseName) -> bool:
    """Whether a run has ended a phase; its checkpoints of that phase do not change any more then."""
    try:
        return read_state(present_folder(run.checkpoint(phase, "last"))).ended is not None
    except UserError:
        return False


def taken_phases(run: RunFolder) -> dict[PhaseName, Taken]:
    """What a run took from the store, by phase."""
    try:
        return {PhaseName(phase): each for phase, each in json.loads((run.path / TAKEN_NAME).read_bytes()).items()}
    except (OSError, ValueError):
        return {}


def _weighed_anew(terms: dict[str, float], loss: JointLoss) -> dict[str, float]:
    """The terms of a logged epoch as they are under another loss, in float64 as they were logged."""
    names = ("classification", "sparsity", "contiguity", "weak", "annotated")
    # Without an annotated image there is no weak
    combined = loss.combine(**{name: torch.tensor(terms.get(name, 0.0), dtype=torch.float64) for name in names})
    return {name: value.item() for name, value in combined.items() if name in terms}


def _taken(stored: StoredPhase) -> Taken:
    entry = stored.entry
    return {"made_by": entry.made_by, "epochs": entry.epochs, "seconds": entry.seconds}


@dataclass
class SharedPhases:
    """A trial's phases; each is trained by one trial alone.

    Rights to train are asked for from the last phase to the first, so that whoever waits for a phase holds rights to
    later ones only, which nobody who trains an earlier one waits for.

    Attributes:
        keys: of the three phases.
        waiting: told the phase that the trial waits for.
        tell: told what the user should know.
    """

    store: PhaseStore
    keys: dict[PhaseName, PhaseKey]
    run: RunFolder
    recipe: Recipe
    waiting: Callable[[PhaseName], None] = lambda phase: None
    tell: Callable[[str], None] = lambda message: None
    _held: dict[PhaseName, Lock] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)
    _to_publish: list[PhaseName] = field(default_factory=list)

    def take(self) -> bool:
        """Take the newest phase that is there, wait for one that is being trained; whether anything is left to train.

        Raises:
            UnrecoverableError: another trial has found that these settings lead nowhere.
            InfrastructureError: the store cannot be read, or the run's folder cannot be written.
        """
        try:
            return self._take()
        except OSError as error:
            raise InfrastructureError(f"run {self.run.path}: cannot be written ({reason_of(error)})") from None

    def _take(self) -> bool:
        newest = next((phase for phase in reversed(PhaseName) if ended(self.run, phase)), None)
        own = newest.through if newest else ()
        taken = self._forget_taken(own)
        for phase in own:
            self._publish(phase)
        for phase in reversed([phase for phase in PhaseName if phase not in own]):
            stored = self._find_or_hold(phase)
            if stored is not None:
                self._fill_run(stored, taken)
                break
        return not self.run.finished.exists()

    def note(self, event: Event) -> None:
        """Something has happened in the run: publish what it has ended."""
        if isinstance(event, PhaseEndEvent):
            self._to_publish.append(event.phase)
        self.publish_ended()

    def publish_ended(self) -> None:
        """Publish the phases that have ended and are saved."""
        for phase in [phase for phase in self._to_publish if ended(self.run, phase)]:
            self._to_publish.remove(phase)
            self._publish(phase)

    def give_up(self, error: UnrecoverableError) -> None:
        """Training has found that the settings lead nowhere: nobody has to find that out again."""
        phase = next(phase for phase in PhaseName if not ended(self.run, phase))
        if phase in self._held and self._is_certain:
            try:
                self.store.note_failure(self._key(phase), str(error))
            except InfrastructureError as trouble:
                self.tell(str(trouble))

    @property
    def _is_certain(self) -> bool:
        """Whether another try would end the same way: on a GPU chance has a part in it."""
        return self.recipe.scaling.gpus_per_worker == 0 or self.recipe.compute.deterministic

    def close(self) -> None:
        """Let others train what this trial has not."""
        for lock in self._held.values():
            lock.release()
        self._held.clear()

    def _find_or_hold(self, phase: PhaseName) -> list[StoredPhase] | None:
        """The phase with those before it; or None, with the right to train it."""
        told = False
        while True:
            held, is_lockable = self._try_to_hold(phase)
            stored = self._with_earlier(phase)  # after the lock: who had it has published by now
            failure = self.store.failure(self._key(phase))
            if held is not None and (stored or failure):
                held.release()
            if stored:
                return stored
            if failure:
                raise UnrecoverableError(f"{failure} (found by another trial)")
            if held is not None:
                self._held[phase] = held
            if held is not None or not is_lockable:
                return None
            if not told:
                self.waiting(phase)
                told = True
            time.sleep(SECONDS_BETWEEN_TRIES)

    def _try_to_hold(self, phase: PhaseName) -> tuple[Lock | None, bool]:
        """The right to train, and whether the store gives rights at all: where not, each trial trains for itself."""
        try:
            return self.store.try_to_hold(self._key(phase)), True
        except InfrastructureError as error:
            self._tell_once(f"phases are not shared: {error}")
            return None, False

    def _tell_once(self, message: str) -> None:
        if message not in self._told:
            self._told.add(message)
            self.tell(message)

    def _with_earlier(self, phase: PhaseName) -> list[StoredPhase] | None:
        if not self.store.has(self._key(phase)):
            return None  # without reading the earlier ones, time and again
        found = [self.store.find(self._key(each)) for each in phase.through]
        whole = [stored for stored in found if stored is not None]
        return whole if len(whole) == len(found) else None

    def _fill_run(self, stored: list[StoredPhase], taken: dict[PhaseName, Taken]) -> None:
        """As if this run had trained these phases.

        The checkpoint `last` of a phase comes last: what a kill leaves unfinished is done again, as the phase has not
        `ended` then.
        """
        lines = [self._as_own(event) for each in stored for event in each.entry.log]
        write_whole(self.run.metrics, "".join(json.dumps(line) + "\n" for line in lines))
        self._note_taken(taken | {each.entry.phase: _taken(each) for each in stored if not self._has(each)})
        self._show_in_tensorboard(lines)
        for each in stored:
            for name in reversed(KEPT):
                if (each.folder / name).exists():
                    copy_folder(each.folder / name, self.run.checkpoint(each.entry.phase, name))
        if stored[-1].entry.phase == PhaseName.JOINT:
            mark_finished(self.run)

    def _has(self, stored: StoredPhase) -> bool:
        return ended(self.run, stored.entry.phase)

    def _as_own(self, event: dict[str, Any]) -> dict[str, Any]:
        """An event as this run would have logged it: the explanation loss of the classifier phase has weights
        that its end does not depend on."""
        if (event["event"], event["phase"]) != ("epoch", PhaseName.CLASSIFIER):
            return event
        settings = self.recipe.loss
        loss = JointLoss(settings.kind, self.recipe.phases.classifier.alpha, settings.beta, settings.gamma)
        return event | {part: event[part] | _weighed_anew(event[part], loss) for part in ("train", "val")}

    def _show_in_tensorboard(self, lines: list[dict[str, Any]]) -> None:
        if self.run.tensorboard.exists():
            return
        board = TensorBoard(self.run.tensorboard, 0, 0)
        board.write_settings(self.recipe)
        for line in lines:
            fields = {name: value for name, value in line.items() if name not in ("event", "time")}
            fields["phase"] = PhaseName(line["phase"])
            if line["event"] == "epoch":
                board.write_epoch(EpochEvent(**fields))
            elif line["event"] == "phase_end":
                board.write_phase_end(PhaseEndEvent(**fields), None)
        if lines and lines[-1].get("phase") == PhaseName.JOINT:
            board.write_end()
        board.close()

    def _forget_taken(self, own: tuple[PhaseName, ...]) -> dict[PhaseName, Taken]:
        """What was taken of the phases that have ended; more may be noted, where taking it was interrupted."""
        before = taken_phases(self.run)
        kept = {phase: each for phase, each in before.items() if phase in own}
        if kept != before:
            self._note_taken(kept)
        return kept

    def _note_taken(self, taken: dict[PhaseName, Taken]) -> None:
        write_whole(self.run.path / TAKEN_NAME, json.dumps(taken, indent=2) + "\n")

    def _publish(self, phase: PhaseName) -> None:
        """Where the store cannot be written, others train the phase themselves; this run continues."""
        events = [event for event in read_metrics(self.run.metrics) if event["event"] in PHASE_EVENTS]
        log = [event for event in events if event["phase"] == phase]
        try:
            self.store.publish(self._key(phase), self.run, log)
        except InfrastructureError as error:
            self._tell_once(f"phases are not shared: {error}")
        finally:
            if phase in self._held:
                self._held.pop(phase).release()

    def _key(self, phase: PhaseName) -> PhaseKey:
        return self.keys[phase]
