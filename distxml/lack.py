"""What is waited for, nodes or free CPUs: Ray is silent about workers that it has no place for."""

import time
from collections.abc import Iterator
from contextlib import suppress

import ray
from ray.exceptions import RayError

from distxml.cluster import check_nodes
from distxml.config.recipe import ScalingSettings
from distxml.errors import UserError

SECONDS_BETWEEN_CHECKS = 10.0
SECONDS_TO_START = 30.0
"""After so long without a worker that is ready, the user is told what may be the matter."""


class Lack:
    """Says once that the cluster has become too small, and once that it no longer is."""

    def __init__(self, scaling: ScalingSettings) -> None:
        self._scaling = scaling
        self._lacking = False
        self._checked = time.monotonic()

    def news(self) -> Iterator[str]:
        """What has changed, if it is time to look."""
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
