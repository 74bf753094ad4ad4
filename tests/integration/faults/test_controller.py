"""Ray Train's controller is lost while the process that started it lives on, as a trial's does in a sweep."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import ray
from ray.exceptions import RayActorError
from ray.train import RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer

from distxml.ray_private.training import TrainedHere
from distxml.signals import StopRequest

pytestmark = pytest.mark.slow

SECONDS_TO_FREE = 20.0
"""A second, where nothing else is at work."""


class Trainer(TrainedHere, TorchTrainer):
    """As distxml's."""


class LosesItsController(StopRequest):
    """Ends it once training has begun, which is after this object is told how."""

    def __init__(self, begun: Path) -> None:
        super().__init__()
        self.begun = begun

    def ended_by(self, end: Callable[[], object]) -> None:
        threading.Thread(target=self._wait_and, args=(end,), daemon=True).start()

    def _wait_and(self, end: Callable[[], object]) -> None:
        while not self.begun.exists():
            time.sleep(0.1)
        end()


def test_its_workers_leave_their_room_to_others(tmp_path: Path) -> None:
    """In a Ray without a dashboard, which is what Ray Train's own cleaner would ask."""
    begun = tmp_path / "begun"

    def train() -> None:
        begun.touch()
        time.sleep(600)

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        trainer = Trainer(
            train, scaling_config=ScalingConfig(num_workers=2), run_config=RunConfig(storage_path=str(tmp_path))
        )
        trainer.stop = LosesItsController(begun)
        with pytest.raises(RayActorError):
            trainer.fit()
        lost = time.monotonic()
        while ray.available_resources().get("CPU") != ray.cluster_resources()["CPU"]:
            assert time.monotonic() - lost < SECONDS_TO_FREE, "their placement group is there still"
            time.sleep(0.1)
    finally:
        ray.shutdown()
