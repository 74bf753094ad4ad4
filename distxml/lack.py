"""Nodes that are waited for: Ray is silent about workers that it has no place for."""

import time
from collections.abc import Iterator
from contextlib import suppress

from ray.exceptions import RayError

from distxml.cluster import check_nodes
from distxml.config.recipe import ScalingSettings
from distxml.errors import UserError

SECONDS_BETWEEN_CHECKS = 10.0


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
