"""What fits on the nodes of the cluster that is joined, and how that changes."""

import math
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import ray
from ray.exceptions import RayError

from distxml.config.recipe import ScalingSettings
from distxml.errors import InfrastructureError, UserError

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

    Args:
        nodes: what the nodes have in all, in use or not.
        workers: how many are to run at the same time.
        cpus_per_worker: CPUs that each reserves.
        gpus_per_worker: GPUs that each reserves; 0 for training on CPUs.

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


class CapacityWatch:
    """Says once that the cluster has become too small, and once that it no longer is."""

    def __init__(self, scaling: ScalingSettings) -> None:
        self._scaling = scaling
        self._lacking = False
        self._checked = time.monotonic()

    def changes(self) -> Iterator[str]:
        """Messages on what has changed; none where the last look was a moment ago."""
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
