"""Ray's private names that distxml uses, all of them, as they are in Ray 2.60.0 (pinned in pyproject.toml).

They may change with any version of Ray: tests/unit/test_ray_private.py looks each of them up in the Ray that is
installed, and says which is no longer what this file takes it for.
"""

from typing import Any

import ray
from ray._private.services import get_ray_address_from_environment

from distxml.signals import StopRequest

RAY_VERSION = "2.60.0"
"""What this file was read against."""

QUIET = {
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",  # else one more actor per run, whose messages nobody asked for
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # what Ray does anyway; unset, it warns that this is new
}
"""Environment variables that keep Ray from printing, which its documentation does not name."""


def head_address(named: str) -> str | None:
    """The address of the cluster that `ray.init` would join; None or "local" where it would start one of its own.

    Private, because Ray offers no way to ask before joining, and joining a head that is gone takes minutes.

    Args:
        named: RAY_ADDRESS; where it is empty, the head that `ray start` has noted on this machine counts.

    Raises:
        ConnectionError: it is "auto", and there is no cluster.
    """
    return get_ray_address_from_environment(named or None, None)  # pyright: ignore[reportArgumentType]


class StoppedOnRequest:
    """To be inherited before `TorchTrainer`: a `StopRequest` ends `fit`, which raises then.

    Private, because Ray Train has no setting for this: its own handler of Ctrl-C ends `fit` as if training were
    complete, and it does not hear SIGTERM.

    Attributes:
        stop: set before `fit` is called.
    """

    stop: StopRequest

    def _register_sigint_handler(self, controller: Any) -> None:
        """Ray Train calls this with the actor whose end ends the workers."""
        self.stop.ended_by(lambda: ray.kill(controller))


def cause_of_failure(failure: Exception) -> Exception:
    """What a worker died of: an error of the class `WorkerHealthCheckFailedError`, which is private, wraps it."""
    return getattr(failure, "health_check_failure", failure)
