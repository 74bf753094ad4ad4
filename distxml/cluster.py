"""Connecting to Ray: a local one, or the cluster that RAY_ADDRESS names (as inside `ray job submit`)."""

import logging
import os
import socket
import warnings
from urllib.parse import urlsplit

import ray
from ray.exceptions import RayError

from distxml.capacity import check_nodes
from distxml.errors import UserError, reason_of
from distxml.ray_private.joining import QUIET, head_address

SECONDS_TO_REACH_HEAD = 5.0

NO_ADDRESS = "the Ray cluster of this machine"
"""What is joined where RAY_ADDRESS is not set."""


def connect(workers: int, cpus_per_worker: int, gpus_per_worker: float) -> None:
    """Start or join Ray, quietly, and check that the workers fit on the nodes that are there now.

    A cluster that would grow on demand has to grow first: nodes that an autoscaler might add are not counted.

    Raises:
        UserError: RAY_ADDRESS names no cluster that can be joined; or the cluster has fewer CPUs or GPUs than the
            workers reserve together; or no way to spread the workers over its nodes.
    """
    if not ray.is_initialized():
        _be_quiet()
        _join()
    check_nodes(workers, cpus_per_worker, gpus_per_worker)


def check_reachable(address: str, origin: str) -> None:
    """Whether something listens there; Ray itself would try for minutes.

    Args:
        address: `host:port` or `ray://host:port`.
        origin: what named it, for the error.

    Raises:
        UserError: it is no such address, or nothing answers within `SECONDS_TO_REACH_HEAD`.
    """
    host, port = _host_and_port(address)
    try:
        socket.create_connection((host, port), timeout=SECONDS_TO_REACH_HEAD).close()
    except OSError as error:
        reason = f"no answer in {SECONDS_TO_REACH_HEAD:g} s" if isinstance(error, TimeoutError) else reason_of(error)
        raise UserError(f"{origin}: cannot be reached ({reason}); {_remedy(origin)}") from None


def _join() -> None:
    named = os.environ.get("RAY_ADDRESS", "")
    origin = f"RAY_ADDRESS={named}" if named else NO_ADDRESS
    try:
        address = head_address(named)
        if address not in (None, "local"):
            check_reachable(address, origin if named not in ("", "auto") else f"{origin}, which is {address}")
        # A local Ray lives as long as the command; its dashboard would be a dozen processes that take seconds to start.
        ray.init(log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False)
    except (OSError, RuntimeError, ValueError, RayError) as error:
        raise UserError(
            f"{origin}: cannot be joined ({_first_sentence(error)}); {_remedy(origin)}{_if_up(named)}"
        ) from None


def _host_and_port(address: str) -> tuple[str, int]:
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:  # a port that is no number
        scheme = host = port = None
    if scheme not in ("", "ray") or not host or not port:
        raise UserError(
            f"RAY_ADDRESS={address}: is no address of a Ray cluster; set it to HOST:6379 of the head (http://HOST:8265 "
            "is the dashboard's, for `ray job submit --address`), or unset it to run on this machine alone"
        )
    return host, port


def _remedy(origin: str) -> str:
    if origin.startswith(NO_ADDRESS):
        return "if it is gone, forget it with `ray stop`; RAY_ADDRESS=local runs on this machine alone"
    return "start the head (`ray start --head`), or unset RAY_ADDRESS to run on this machine alone"


def _if_up(named: str) -> str:
    """A wrong token ends in the same error as a head that is gone."""
    if named == "local":
        return ""
    return "; if it is up, set RAY_AUTH_MODE=token, with the same ~/.ray/auth_token and version of Ray as on the head"


def _first_sentence(error: Exception) -> str:
    return reason_of(error).split(". ")[0].rstrip(".")


def _be_quiet() -> None:
    """Ray's own chatter is for its developers: keep it in its log files."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("RAY_DEDUP_LOGS", "0")
    warnings.filterwarnings("ignore", module="ray")
    for name in ("ray.train", "ray.data", "ray.tune"):
        logging.getLogger(name).setLevel(logging.ERROR)
