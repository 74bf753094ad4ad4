"""Connecting to Ray: a local one, or the cluster that RAY_ADDRESS names (as inside `ray job submit`)."""

import logging
import math
import os
import socket
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import ray
from ray._private.services import get_ray_address_from_environment
from ray.exceptions import RayError

from distxml.config.recipe import ScalingSettings
from distxml.errors import InfrastructureError, UserError

SECONDS_TO_REACH_HEAD = 5.0

NO_ADDRESS = "the Ray cluster of this machine"
"""What is joined where RAY_ADDRESS is not set."""

NODES_NAMED = 8
"""An error lists no more nodes than this."""

SECONDS_BETWEEN_CHECKS = 10.0

SECONDS_TO_START = 30.0
"""After so long without a worker that is ready, the user is told what may be the matter."""


@dataclass(frozen=True)
class NodeResources:
    """What a node of the cluster has, whoever uses it now."""

    address: str
    cpus: float
    gpus: float

    def workers(self, cpus_per_worker: int, gpus_per_worker: float) -> int:
        """How many workers fit on this node; a share of a GPU comes from one GPU."""
        by_cpus = _whole(self.cpus / cpus_per_worker)
        if gpus_per_worker == 0:
            return by_cpus
        if gpus_per_worker < 1:
            return min(by_cpus, _whole(self.gpus) * _whole(1 / gpus_per_worker))
        return min(by_cpus, _whole(self.gpus / gpus_per_worker))

    def __str__(self) -> str:
        gpus = f" and {_count(self.gpus, 'GPU')}" if self.gpus else ""
        return f"node {self.address} with {_count(self.cpus, 'CPU')}{gpus}"


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


def check_nodes(workers: int, cpus_per_worker: int, gpus_per_worker: float) -> None:
    """Whether the workers fit on the nodes of the joined cluster that are alive now.

    Raises:
        UserError: they do not.
    """
    check_fit(_alive(), workers, cpus_per_worker, gpus_per_worker)


def slots(cpus_per_worker: int, gpus_per_worker: float) -> int:
    """Workers that fit on the nodes of the joined cluster that are alive now."""
    return _slots(_alive(), cpus_per_worker, gpus_per_worker)


def check_fit(nodes: list[NodeResources], workers: int, cpus_per_worker: int, gpus_per_worker: float) -> None:
    """Whether the workers fit on these nodes, each of them on one.

    Raises:
        InfrastructureError: they do not.
    """
    sums = {"CPU": sum(node.cpus for node in nodes), "GPU": sum(node.gpus for node in nodes)}
    needed = {"CPU": workers * cpus_per_worker, "GPU": workers * gpus_per_worker}
    for name, amount in needed.items():
        if amount > sums[name]:
            raise InfrastructureError(
                f"scaling.workers={workers}: they reserve {amount:g} {name}s together, but the cluster has "
                f"{sums[name]:g}; lower scaling.workers or scaling.{name.lower()}s_per_worker, or add nodes"
            )
    fitting = _slots(nodes, cpus_per_worker, gpus_per_worker)
    if fitting < workers:
        share, settings = _count(cpus_per_worker, "CPU"), "scaling.workers or scaling.cpus_per_worker"
        if gpus_per_worker:
            share, settings = f"{share} and {_count(gpus_per_worker, 'GPU')}", f"{settings} or scaling.gpus_per_worker"
        raise InfrastructureError(
            f"scaling.workers={workers}: only {fitting} fit, because each needs {share} on one node, and there are "
            f"{_listed(nodes)}; lower {settings}, or add nodes"
        )


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
        reason = f"no answer in {SECONDS_TO_REACH_HEAD:g} s" if isinstance(error, TimeoutError) else error.strerror
        raise UserError(f"{origin}: cannot be reached ({reason or error}); {_remedy(origin)}") from None


def _join() -> None:
    named = os.environ.get("RAY_ADDRESS", "")
    origin = f"RAY_ADDRESS={named}" if named else NO_ADDRESS
    try:
        # Where there is no RAY_ADDRESS, this finds the head that `ray start` has noted on this machine.
        address = get_ray_address_from_environment(named or None, None)  # pyright: ignore[reportArgumentType]
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
    lines = str(error).strip().splitlines()
    return lines[0].split(". ")[0].rstrip(".") if lines else type(error).__name__


def _alive() -> list[NodeResources]:
    """The nodes of the joined cluster that are alive now."""
    return [_resources(node) for node in ray.nodes() if node["Alive"]]


def _slots(nodes: list[NodeResources], cpus_per_worker: int, gpus_per_worker: float) -> int:
    return sum(node.workers(cpus_per_worker, gpus_per_worker) for node in nodes)


def _resources(node: dict) -> NodeResources:
    there = node["Resources"]
    return NodeResources(node["NodeManagerAddress"], there.get("CPU", 0), there.get("GPU", 0))


def _whole(amount: float) -> int:
    return math.floor(amount + 1e-6)  # 3 times a third is one


def _count(amount: float, name: str) -> str:
    return f"{amount:g} {name}{'' if amount == 1 else 's'}"


def _listed(nodes: list[NodeResources]) -> str:
    named = [str(node) for node in nodes[:NODES_NAMED]]
    more = [f"{len(nodes) - NODES_NAMED} more nodes"] if len(nodes) > NODES_NAMED else []
    return ", ".join(named + more)


def _be_quiet() -> None:
    """Ray's own chatter is for its developers: keep it in its log files."""
    os.environ.setdefault("RAY_TRAIN_ENABLE_PREEMPTION_WATCHER", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_DEDUP_LOGS", "0")
    warnings.filterwarnings("ignore", module="ray")
    for name in ("ray.train", "ray.data", "ray.tune"):
        logging.getLogger(name).setLevel(logging.ERROR)


class CapacityWatch:
    """Says once that the cluster has become too small, and once that it no longer is."""

    def __init__(self, scaling: ScalingSettings) -> None:
        self._scaling = scaling
        self._lacking = False
        self._checked = time.monotonic()

    def changes(self) -> Iterator[str]:
        """What has changed since the last check, if it is time for one."""
        if time.monotonic() - self._checked < SECONDS_BETWEEN_CHECKS:
            return
        self._checked = time.monotonic()
        with suppress(RayError):
            yield from self._compare()

    def _compare(self) -> Iterator[str]:
        try:
            check_nodes(self._scaling.workers, self._scaling.cpus_per_worker, self._scaling.gpus_per_worker)
        except UserError as error:
            if not self._lacking:
                yield f"waiting for nodes: {error}"
            self._lacking = True
        else:
            if self._lacking:
                yield "all workers have a place again"
            self._lacking = False


def busy_cluster() -> str:
    """Why there may be no worker after `SECONDS_TO_START`, although the cluster is large enough."""
    free, there = ray.available_resources(), ray.cluster_resources()
    parts = [f"{free.get(name, 0):g} of {there[name]:g} {name}s" for name in ("CPU", "GPU") if there.get(name)]
    return (
        f"no worker is ready after {SECONDS_TO_START:g} s; {' and '.join(parts)} of the cluster are free: where other "
        "programs hold them, they are waited for"
    )
