"""Running the trials with Ray Tune: where it gets trials from, whom it tells of them, its scheduler, its stop."""

import logging
import os
import uuid
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune import PlacementGroupFactory, Stopper
from ray.tune.experiment import Trial
from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from distxml.config.sweep import SweepSettings
from distxml.signals import StopRequest
from distxml.tuning.plan import NoTrial
from distxml.tuning.records import SweepClock
from distxml.tuning.trial import run_trial
from distxml.tuning.trials import TrialManager

BYTES_PER_TRIAL = 2**20
"""A trial's own process reserves a little memory, no CPU: its workers could not start if the trials held all CPUs. Ray
wants something to be reserved; this always fits."""
SECONDS_TO_END_A_TRIAL = 10
NO_LIMIT = 10**9


def run_trials(manager: TrialManager, sweep: SweepSettings, concurrency: int, stop: "SweepStop") -> None:
    """Until there are no more trials, or `stop` says so; the manager knows what became of each.

    Args:
        manager: gives the trials, and is told of them.
        sweep: its scheduler and retries.
        concurrency: most trials at once.
        stop: asked over and over.
    """
    _set_up()
    folder = manager.folder
    scheduler = Asha(manager, sweep) if sweep.scheduler.kind == "asha" else FIFOScheduler()
    tune.Tuner(
        tune.with_resources(_trainable(folder.path), PlacementGroupFactory([{"memory": BYTES_PER_TRIAL}])),
        tune_config=tune.TuneConfig(
            search_alg=TrialSearcher(manager),
            scheduler=scheduler,
            num_samples=-1,
            max_concurrent_trials=concurrency,
            trial_dirname_creator=lambda trial: f"{trial.config['number']:04d}-{trial.trial_id}",
        ),
        run_config=tune.RunConfig(
            name=uuid.uuid4().hex,
            storage_path=str(folder.ray),
            failure_config=tune.FailureConfig(max_failures=sweep.retries),
            stop=stop,
            callbacks=[TrialCallback(manager)],
            verbose=0,
        ),
    ).fit()


def _trainable(folder: Path) -> Any:
    def trial(config: dict[str, Any]) -> None:
        run_trial(config["number"], folder, tune.report)

    return trial


def _set_up() -> None:
    """Ray Tune reads these when it starts; it stays silent, as the sweep has a display of its own."""
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"  # the other one prints tables however quiet it is told to be
    os.environ["TUNE_DISABLE_STRICT_METRIC_CHECKING"] = "1"  # there is no score before the joint phase
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
    os.environ["TUNE_DISABLE_SIGINT_HANDLER"] = "1"  # ours also catches SIGTERM
    os.environ["TUNE_FORCE_TRIAL_CLEANUP_S"] = str(SECONDS_TO_END_A_TRIAL)
    os.environ["TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S"] = "0"


class _Ours:
    """Objects that Ray Tune may copy and pickle as it likes: they stay the one that the driver knows."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {}


class TrialSearcher(_Ours, Searcher):
    """Gets trials from the manager, and tells it when they are over."""

    def __init__(self, manager: TrialManager) -> None:
        super().__init__(metric="score", mode="max")
        self.manager = manager
        self._numbers: dict[str, int] = {}

    def suggest(self, trial_id: str) -> Any:
        """Ray Tune asks for a trial; None: not now."""
        number = self.manager.next()
        if isinstance(number, NoTrial):
            return Searcher.FINISHED if number is NoTrial.OVER else None
        self._numbers[trial_id] = number
        return {"number": number}

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """A trial has ended, one way or another."""
        self.manager.end(self._numbers[trial_id], None if error else result or {})

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the records are the state."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: the records are the state."""


class TrialCallback(_Ours, tune.Callback):
    """Tells the manager what trials report."""

    def __init__(self, manager: TrialManager) -> None:
        self.manager = manager

    def on_trial_start(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """A trial's process begins, perhaps not for the first time."""
        self.manager.begin(trial.config["number"])

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any
    ) -> None:
        """A trial has reported; Ray Tune passes all arguments by name.

        Args:
            iteration: of Ray Tune's loop; not used.
            trials: all that it knows; not used.
            trial: the one that reported.
            result: the metrics that it reported.
            **info: what Ray Tune adds; not used.
        """
        self.manager.report(trial.config["number"], result)


class _ByNumber:
    """A trial by its number, which it keeps when it is started again."""

    def __init__(self, number: int) -> None:
        self.trial_id = str(number)


class Asha(_Ours, AsyncHyperBandScheduler):
    """Ray Tune's ASHA, counting epochs of the joint phase; a trial without any is never stopped.

    Source: Li et al., "A system for massively parallel hyperparameter tuning", MLSys 2020.
    """

    def __init__(self, manager: TrialManager, sweep: SweepSettings) -> None:
        """Learns what trials from before an interruption had reached."""
        epochs = manager.base.phases.joint.epochs
        self.manager = manager
        super().__init__(
            time_attr="joint_epoch",
            metric="score",
            mode="max",
            max_t=epochs or NO_LIMIT,
            grace_period=sweep.scheduler.grace,
            reduction_factor=sweep.scheduler.factor,
            stop_last_trials=False,
        )
        for record in manager.plan.records:
            super().on_trial_add(None, _ByNumber(record.number))  # pyright: ignore[reportArgumentType]
            self._learn(record.number)

    def _learn(self, number: int) -> None:
        """Every epoch that a trial has made, as if it reported them now."""
        trial: Any = _ByNumber(number)
        for epoch, metrics in self.manager.history(number).scored.items():
            value = self.manager.plan.objective.score(metrics)
            if value:
                result = {"joint_epoch": epoch, "score": value.score}
                super().on_trial_result(None, trial, result)  # pyright: ignore[reportArgumentType]

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        """A trial begins."""
        super().on_trial_add(tune_controller, self._named(trial))

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Whether it may continue."""
        if result.get("outcome"):
            self._learn(
                trial.config["number"]
            )  # its last phase may be another trial's: then it reported no epoch of it
            return TrialScheduler.CONTINUE  # it has ended by itself
        action = super().on_trial_result(tune_controller, self._named(trial), result)
        return TrialScheduler.CONTINUE if result.get("is_last") else action

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        """It is over."""
        super().on_trial_complete(tune_controller, self._named(trial), result)

    def on_trial_remove(self, tune_controller: Any, trial: Any) -> None:
        """It will not begin."""
        super().on_trial_remove(tune_controller, self._named(trial))

    def _named(self, trial: Any) -> Any:
        return _ByNumber(trial.config["number"])


class SweepStop(_Ours, Stopper):
    """Ends all trials when somebody asks, when the time is over, or when the infrastructure has failed."""

    def __init__(self, request: StopRequest, manager: TrialManager, clock: SweepClock, minutes: float | None) -> None:
        """
        Args:
            request: what somebody has asked for, by a signal.
            manager: knows whether the infrastructure has failed.
            clock: of the sweep.
            minutes: its budget; None where there is none.
        """
        self.request, self.manager, self.clock, self.minutes = request, manager, clock, minutes

    @property
    def is_late(self) -> bool:
        """Whether the time is over."""
        return self.minutes is not None and self.clock.seconds >= 60 * self.minutes

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Single trials are the scheduler's."""
        return False

    def stop_all(self) -> bool:
        """Asked over and over."""
        self.clock.save_now_and_then()
        return bool(self.request.signal or self.manager.infrastructure_failure) or self.is_late
