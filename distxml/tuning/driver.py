"""The driver of a sweep: checks, claims its folder, runs the trials, writes the results."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ray

from distxml.capacity import slots
from distxml.cluster import connect
from distxml.config import Recipe, load_settings
from distxml.config.absolute_paths import with_absolute_paths
from distxml.config.load import with_settings
from distxml.config.recipe import ScalingSettings
from distxml.config.sweep import SweepSettings
from distxml.data.reader import SplitReader
from distxml.data.schema import Dataset
from distxml.data.subsets import balanced_sample
from distxml.errors import InfrastructureError, UserError, reason_of
from distxml.files import write_whole
from distxml.locks import claimed
from distxml.signals import Interrupted, interruptible, stop_requests
from distxml.training.preflight import check_dataset
from distxml.tuning.plan import SweepPlan
from distxml.tuning.ray_tune import SweepStop, run_trials
from distxml.tuning.records import SweepClock, SweepFolder, TrialRecord, check_sweeps_data
from distxml.tuning.results import write_results
from distxml.tuning.searches import check_parameters
from distxml.tuning.trials import SweepDisplay, TrialManager

FREE_TO_CHANGE = {"budget", "concurrency", "retries", "store"}
"""Settings of a sweep that may be others when it is resumed."""


@dataclass(frozen=True)
class PreparedSweep:
    """A sweep that may be started.

    Attributes:
        sweep: with absolute paths.
        base: the recipe that trials differ from.
        dataset: that all trials learn from.
    """

    sweep: SweepSettings
    base: Recipe
    dataset: Dataset

    @property
    def folder(self) -> SweepFolder:
        """Where it lives."""
        return SweepFolder(self.sweep.path)


def prepare(sweep: SweepSettings, origin: str) -> PreparedSweep:
    """Everything that can be checked without Ray.

    Raises:
        UserError: the recipe, a setting or a value does not exist, or the dataset does not suit.
    """
    sweep = with_absolute_paths(sweep)
    sweep = sweep.model_copy(update={"store": sweep.store or sweep.folder / "phases"})
    own = {"run.name": "trial"} if "run.name" not in sweep.settings else {}
    base = load_settings(Recipe, sweep.recipe, [], defaults=own)
    base = with_absolute_paths(with_settings(base, sweep.settings, f"{origin}: settings"))
    for parameters in sweep.all_steps:
        taken = [name for name in parameters if name.split(".")[0] in ("scaling", "run", "dataset", "quick_scores")]
        taken = [name for name in taken if name != "run.seed"]
        if taken:
            raise UserError(f"{origin}: parameters.{taken[0]}: trials must agree on it; give it in settings")
        check_parameters(parameters, base, origin)
    if base.quick_scores.images == 0 and sweep.objective.needs_quick_scores:
        names = " and ".join(sweep.objective.needs_quick_scores)
        raise UserError(f"{origin}: objective: {names} needs quick_scores.images above 0")
    epochs = base.phases.joint.epochs
    if sweep.scheduler.kind == "asha" and epochs is not None and sweep.scheduler.grace > epochs:
        raise UserError(
            f"{origin}: scheduler.grace={sweep.scheduler.grace}: the joint phase has only {epochs} epochs; lower it"
        )
    dataset = check_dataset(base)
    _check_metrics(sweep, base, dataset, origin)
    return PreparedSweep(sweep, base, dataset)


def _check_metrics(sweep: SweepSettings, base: Recipe, dataset: Dataset, origin: str) -> None:
    """Whether the objective's metrics can exist on this dataset."""
    needed = [name for name in sweep.objective.names if name in ("pompom", "weak")]
    if not needed:
        return
    reader = SplitReader(dataset, "val", base.dataset.cache)
    remedy = "build the dataset with masks, or leave the metric out"
    rows: Iterable[int] = range(len(reader)) if dataset.metadata.annotated["val"] else ()
    if "pompom" in needed and rows:
        chosen = base.quick_scores
        rows = sorted(balanced_sample(list(reader.index().labels), chosen.images, chosen.seed))
        remedy = "raise quick_scores.images, or choose another quick_scores.seed"
    if not any(row.mask is not None for row in reader.rows_at(rows)):
        raise UserError(f"{origin}: objective: {needed[0]}: no image that it is measured on has a mask; {remedy}")


def fitting(scaling: ScalingSettings) -> int:
    """Trials that fit on the joined cluster at once.

    Raises:
        UserError: not even one does, or there is no cluster; it says what is missing.
    """
    connect(scaling.workers, scaling.cpus_per_worker, scaling.gpus_per_worker)
    return slots(scaling.cpus_per_worker, scaling.gpus_per_worker) // scaling.workers


def with_spare(fit: int) -> int:
    """Trials to begin at once where `fit` of them have workers: some more wait beside them, prepared, and get workers
    as soon as these are free, or while another trial waits for a phase."""
    return fit + max(1, fit // 4)


def tune(prepared: PreparedSweep, resume: bool, display: SweepDisplay) -> list[TrialRecord]:
    """Run a sweep to its end.

    Raises:
        UserError: the sweep's folder or the cluster do not allow it.
        InfrastructureError: a trial failed for reasons other than its settings, such as a full disk; resume it later.
        Interrupted: Ctrl-C or SIGTERM; resume it later.
    """
    message = f"interrupted; the same command with --resume continues from there: sweep {prepared.folder.path}"
    with interruptible(message):
        _check_begun(prepared.folder, resume)
        fit = fitting(prepared.base.scaling)  # before anything is written
        with _claimed(prepared, resume) as known:
            number = _run(prepared, known, fit, display)
            if number:
                raise Interrupted(message, 128 + number)
            return prepared.folder.load()


def _run(prepared: PreparedSweep, known: list[TrialRecord], fit: int, display: SweepDisplay) -> int:
    """Until the end, or until somebody asks: the number of the signal."""
    sweep, folder = prepared.sweep, prepared.folder
    clock = SweepClock(folder)
    manager = TrialManager(folder, prepared.base, SweepPlan(sweep, prepared.base, known), display)
    concurrency = with_spare(fit) if sweep.concurrency is None else min(fit, sweep.concurrency)
    with stop_requests() as request:
        stop = SweepStop(request, manager, clock, sweep.budget.minutes)
        try:
            if not stop.is_late:
                run_trials(manager, sweep, concurrency, stop)
            if not request.signal and not manager.infrastructure_failure:
                _close_the_rest(manager, "the sweep's time was over")
            _write_results(manager, clock)
        except OSError as error:  # the sweep's own disk is full
            reason = f"sweep {folder.path}: cannot be written ({reason_of(error)})"
            manager.infrastructure_failure = manager.infrastructure_failure or reason
    if request.signal:
        ray.shutdown()
        return request.signal
    if manager.infrastructure_failure:
        reason = manager.infrastructure_failure
        raise InfrastructureError(f"{reason}; the trials wait: the same command with --resume continues them")
    shutil.rmtree(folder.ray, ignore_errors=True)
    return 0


def _write_results(manager: TrialManager, clock: SweepClock) -> None:
    clock.save()
    write_results(manager.folder, manager.base, manager.plan.records, manager.plan.objective)


def _close_the_rest(manager: TrialManager, reason: str) -> None:
    for record in manager.plan.records:
        if not record.is_over:
            manager.close(record.number, "stopped", reason)


@contextmanager
def _claimed(prepared: PreparedSweep, resume: bool) -> Iterator[list[TrialRecord]]:
    """Hold the sweep's folder; what is known of its trials."""
    folder = prepared.folder
    busy = "another process runs it; wait for it, or choose name=NAME"
    with claimed(folder.lock, f"sweep {folder.path}", busy, "choose another folder=FOLDER"):
        _check_begun(folder, resume)  # again: now nobody else can begin
        if resume:
            _check_same(prepared)
        write_whole(folder.dataset, prepared.dataset.metadata.model_dump_json(indent=2) + "\n")
        write_whole(folder.base, prepared.base.model_dump_json(indent=2) + "\n")
        write_whole(folder.config, prepared.sweep.model_dump_json(indent=2, exclude_unset=True) + "\n")
        yield folder.load()


def _check_begun(folder: SweepFolder, resume: bool) -> None:
    if folder.config.exists() and not resume:
        raise UserError(f"sweep {folder.path}: has begun before; add --resume, or choose another name=NAME")
    if resume and not folder.config.exists():
        raise UserError(f"sweep {folder.path}: there is nothing to resume; leave --resume out")


def _check_same(prepared: PreparedSweep) -> None:
    """The dataset may lie elsewhere now; its content must be the same."""
    check_sweeps_data(prepared.folder, prepared.dataset)
    before, now = _comparable(prepared.folder.sweep()), _comparable(prepared.sweep)
    changed = [name for name in now if name not in FREE_TO_CHANGE and before[name] != now[name]]
    base = prepared.folder.base_recipe().model_copy(update={"dataset": prepared.base.dataset})
    if not changed and base != prepared.base:
        changed = ["recipe"]
    if changed:
        raise UserError(
            f"sweep {prepared.folder.path}: was started with other {changed[0]}; resume it with the same settings, or "
            "start another sweep with name=NAME"
        )


def _comparable(sweep: SweepSettings) -> dict[str, Any]:
    content = sweep.model_dump(mode="json")
    settings = {name: value for name, value in content["settings"].items() if not name.startswith("dataset.")}
    return content | {"settings": settings}
