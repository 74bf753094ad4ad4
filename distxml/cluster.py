"""Connecting to Ray: a local one, or the cluster that RAY_ADDRESS names (as inside `ray job submit`)."""

import logging
import os
import warnings

import ray

from distxml.errors import UserError


def connect(workers: int, cpus_per_worker: int, gpus_per_worker: float) -> None:
    """Start or join Ray, quietly, and check that the workers fit.

    Raises:
        UserError: the cluster has fewer CPUs or GPUs than the workers reserve together.
    """
    if not ray.is_initialized():
        _be_quiet()
        ray.init(log_to_driver=False, logging_level=logging.ERROR)
    resources = ray.cluster_resources()
    needed = {"CPU": workers * cpus_per_worker, "GPU": workers * gpus_per_worker}
    for name, amount in needed.items():
        there = resources.get(name, 0)
        if amount > there:
            raise UserError(
                f"scaling.workers={workers}: they reserve {amount:g} {name}s together, but the cluster has {there:g}; "
                f"lower scaling.workers or scaling.{name.lower()}s_per_worker, or add nodes"
            )


def _be_quiet() -> None:
    """Ray's own chatter is for its developers: keep it in its log files."""
    os.environ.setdefault("RAY_TRAIN_ENABLE_PREEMPTION_WATCHER", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_DEDUP_LOGS", "0")
    warnings.filterwarnings("ignore", module="ray")
    for name in ("ray.train", "ray.data", "ray.tune"):
        logging.getLogger(name).setLevel(logging.ERROR)
