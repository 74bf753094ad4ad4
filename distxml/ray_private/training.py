"""What training with Ray Train needs of its private names."""

from typing import Any

import ray
from ray._private.state import actors
from ray.train.v2._internal.callbacks import placement_group_callback
from ray.train.v2._internal.callbacks.datasets import DatasetsCallback
from ray.train.v2._internal.callbacks.placement_group_callback import PlacementGroupCleanerCallback
from ray.train.v2._internal.execution.controller import placement_group_cleaner
from ray.train.v2._internal.execution.controller.placement_group_cleaner import PlacementGroupCleaner

from distxml.signals import StopRequest


class CleanerOfItsOwnCluster(PlacementGroupCleaner):
    """Ray Train's actor that frees the workers' resources when the run's controller is gone.

    Ray Train's asks the dashboard of whichever Ray is noted on this machine, as RAY_ADDRESS is not set in its process:
    where somebody else has started one, that one knows no such controller, and the workers of a healthy run are
    killed; and a local Ray without a dashboard never answers. This one asks the cluster that it belongs to.
    """

    def start_monitoring(self) -> bool:
        """As Ray Train's."""
        placement_group_cleaner.is_actor_alive = is_actor_alive  # pyright: ignore[reportPrivateImportUsage]
        return super().start_monitoring()


def is_actor_alive(actor_id: str, timeout: float) -> bool:
    """Whether this cluster does not know of the actor's end.

    Args:
        actor_id: hexadecimal.
        timeout: Ray Train gives one; Ray's own, of the connection to the head, counts.
    """
    return actors(actor_id).get("State") != "DEAD"


class CleaningInItsOwnCluster(PlacementGroupCleanerCallback):
    """Starts `CleanerOfItsOwnCluster`; Ray Train's callback has no argument for it."""

    def after_controller_start(self, train_run_context: Any) -> None:
        """In the controller's process, which starts nothing else of this name."""
        placement_group_callback.PlacementGroupCleaner = CleanerOfItsOwnCluster  # pyright: ignore[reportPrivateImportUsage]
        super().after_controller_start(train_run_context)


class TrainedHere:
    """To be inherited before `TorchTrainer`: what Ray Train does beside training, as distxml needs it.

    A `StopRequest` ends `fit`, which raises then: Ray Train's own handler of Ctrl-C ends `fit` as if training were
    complete, and it does not hear SIGTERM. The cleaner is one that asks its own cluster. And no actor is started per
    worker group for Ray Data's datasets, of which there are none. Private, because Ray Train has no setting for these.

    Attributes:
        stop: set before `fit` is called.
    """

    stop: StopRequest

    def _register_sigint_handler(self, controller: Any) -> None:
        """Ray Train calls this with the actor whose end ends the workers."""
        self.stop.ended_by(lambda: ray.kill(controller))

    def _create_default_callbacks(self) -> list[Any]:
        """Ray Train calls this for what its controller is to do at each step."""
        callbacks = super()._create_default_callbacks()  # pyright: ignore[reportAttributeAccessIssue]
        kept = [one for one in callbacks if not isinstance(one, (DatasetsCallback, PlacementGroupCleanerCallback))]
        return [*kept, CleaningInItsOwnCluster()]


def cause_of_failure(failure: Exception) -> Exception:
    """What a worker died of: an error of the class `WorkerHealthCheckFailedError`, which is private, wraps it."""
    return getattr(failure, "health_check_failure", failure)
