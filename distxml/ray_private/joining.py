"""What joining or starting Ray needs of its private names."""

from ray._private.services import get_ray_address_from_environment

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
