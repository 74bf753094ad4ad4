"""What Ray Tune runs for each trial: a process that trains one recipe with workers of its own.

The process reserves no CPU: it waits for its workers, or for a phase that another trial trains.
"""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ray.exceptions import RayError

from distxml.config import Recipe
from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.config.sweep import SweepSettings
from distxml.data.schema import Dataset
from distxml.errors import InfrastructureError, UnrecoverableError, UserError
from distxml.files import write_whole
from distxml.monitoring.events import EpochEvent, Event, NoticeEvent
from distxml.training.driver import TrainHooks, train
from distxml.training.guard import collapse_in_validation
from distxml.tuning.objective import Objective
from distxml.tuning.phase_cache.key import phase_keys
from distxml.tuning.phase_cache.shared import SharedPhases
from distxml.tuning.phase_cache.store import PhaseStore
from distxml.tuning.records import SweepFolder, check_sweeps_data
from distxml.tuning.trial_history import TrialHistory
from distxml.tuning.trials import trial_recipe

SECONDS_FOR_THE_FOLDER = 120.0
"""How long a trial that is started again waits for what is left of its first process."""

Report = Callable[[dict[str, Any]], None]


class TrialRun:
    """One trial, from its record to its last report."""

    def __init__(self, folder: SweepFolder, number: int, report: Report) -> None:
        self.folder, self.number, self.report = folder, number, report
        self.sweep: SweepSettings = folder.sweep()
        self.objective = Objective(self.sweep.objective)
        self.recipe = trial_recipe(folder.base_recipe(), folder, folder.load_one(number))
        self.run = folder.run(number)
        self.phases: SharedPhases | None = None

    def go(self) -> None:
        """Train to the end; whatever stops it is reported, not raised, so that the search continues.

        The end is the last report: Ray Tune takes the trial's result from it.
        """
        outcome, reason = "failed", ""
        try:
            train(
                self.recipe,
                TrainHooks(
                    display=self,
                    check_data=self._check_data,
                    prepare=self._prepare,
                    patience=SECONDS_FOR_THE_FOLDER,
                    waits_for_nodes=True,
                ),
            )
            outcome = "finished"
        except UnrecoverableError as error:
            reason = str(error)
            if self.phases:
                self.phases.give_up(error)
        except InfrastructureError as error:
            outcome, reason = "infrastructure", str(error)
        except UserError as error:
            reason = str(error)
        except RayError:
            raise  # this process is lost: Ray Tune starts another
        except Exception as error:
            reason = self._explain(error)
        finally:
            if self.phases:
                self.phases.publish_ended()
                self.phases.close()
        self._report_end(outcome, reason)

    def _explain(self, error: Exception) -> str:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        try:
            write_whole(self.run.failure, "".join(traceback.format_exception(error)))
        except OSError:  # the run may not have begun
            return reason
        return f"{reason}; details: {self.run.failure}"

    def show(self, event: Event) -> None:
        """An event of the run; in a thread of its own."""
        if self.phases:
            self.phases.note(event)
        if isinstance(event, EpochEvent):
            last = event.phase == PhaseName.JOINT and event.epoch == self.recipe.phases.joint.epochs
            where = {"phase": event.phase, "epoch": event.epoch, "is_last": last}
            self._report(where, self._metrics(event), event.epoch)
        elif isinstance(event, NoticeEvent) and event.global_epoch == 0:  # about nodes, or how the run begins
            self._tell(event.message)

    def _metrics(self, event: EpochEvent) -> dict[str, float] | None:
        """Those of the joint phase; none of a dead heatmap: the guard goes back before this epoch."""
        if event.phase != PhaseName.JOINT:
            return None
        dead = collapse_in_validation(event.val, self.recipe.phases.joint, self.recipe.guard)
        return event.val if dead is None else None

    def _check_data(self, dataset: Dataset) -> None:
        """Trials are compared with each other: all of them learn from the data that the sweep was started with."""
        check_sweeps_data(self.folder, dataset)

    def _prepare(self, run: RunFolder, recipe: Recipe, dataset: Dataset) -> bool:
        if not self.sweep.share_phases:
            return True
        assert self.sweep.store is not None, "the driver fills it in"
        keys = phase_keys(recipe, dataset.metadata)
        self.phases = SharedPhases(PhaseStore(self.sweep.store), keys, run, recipe, self._waits, self._tell)
        return self.phases.take()

    def _waits(self, phase: PhaseName) -> None:
        self.report({"number": self.number, "waits_for": phase})

    def _tell(self, message: str) -> None:
        self.report({"number": self.number, "notice": message})

    def _report_end(self, outcome: str, reason: str) -> None:
        epoch, metrics = TrialHistory(self.run).update().last
        self._report({"outcome": outcome, "reason": reason}, metrics if outcome == "finished" else None, epoch)

    def _report(self, what: dict[str, Any], metrics: dict[str, float] | None, epoch: int) -> None:
        """With `score` and `joint_epoch` where there are metrics: all that the scheduler looks at."""
        value = self.objective.score(metrics) if metrics else None
        scored = {"score": value.score, "joint_epoch": epoch} if value else {}
        self.report({"number": self.number} | what | scored)


def run_trial(number: int, folder: Path, report: Report) -> None:
    """Run one trial of a sweep in this process."""
    TrialRun(SweepFolder(folder), number, report).go()
