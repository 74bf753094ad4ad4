"""A training run as a process that a test disturbs: what its log says, and how long it took to recover."""

import json
import time
from dataclasses import dataclass

import torch
from safetensors.torch import load_file

from distxml.config.phases import PhaseName
from distxml.config.run_folder import CheckpointName, RunFolder
from distxml.models.checkpoint import load_model
from distxml.monitoring.metrics_log import read_metrics
from tests.integration.command import SMALL_TRAINING
from tests.integration.watched_process import WatchedProcess

EPOCHS = (
    "phases.classifier.epochs=2",
    "phases.explainer.epochs=12",
    "phases.joint.epochs=2",
    "phases.explainer.until=null",
)
EPOCHS_IN_ALL = 16
SETTINGS = (*SMALL_TRAINING, "loader.batch_size=4", "scaling.workers=2", *EPOCHS)
"""21 steps per epoch, so that there is time to disturb one."""


@dataclass(frozen=True)
class Fault:
    """What a test does to a run.

    Attributes:
        since: seconds of the monotonic clock.
        resumed_before: events that are not the recovery from it.
    """

    name: str
    since: float
    resumed_before: list[dict]


@dataclass
class WatchedRun(WatchedProcess):
    """`distxml train polygons`."""

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.place / "runs" / self.name)

    def start(self, *more: str) -> None:
        """The command, with more settings than the run's own if need be."""
        name = f"run.name={self.name}"
        self.launch("train", "polygons", *SETTINGS, *self.settings, *more, name)

    def events(self, kind: str) -> list[dict]:
        """Of one kind, as far as they are written."""
        path = self.folder.metrics
        return [event for event in read_metrics(path) if event["event"] == kind] if path.exists() else []

    def wait_for_explainer_phase(self, epoch: int = 1) -> None:
        self.wait_until(lambda: any(_has_come_to(line, epoch) for line in self.events("epoch")))

    def steps_of_explainer_phase(self) -> int:
        """Steps of an unfinished epoch of the explainer phase that the newest checkpoint holds; 0: none."""
        try:
            state = (self.folder.checkpoint(PhaseName.EXPLAINER, "last") / "training_state.json").read_text()
        except FileNotFoundError:
            return 0
        return json.loads(state)["step_in_epoch"]

    def wait_for_another_epoch(self) -> None:
        """One that was not finished when the run was resumed last."""
        resumed_at = self.events("resumed")[-1]["global_epoch"]
        self.wait_until(lambda: any(event["global_epoch"] > resumed_at for event in self.events("epoch")))

    def fault(self, name: str) -> Fault:
        """What is about to be done to it, and what its log says until then."""
        return Fault(name, time.monotonic(), self.events("resumed"))

    def wait_for_recovery(self, fault: Fault) -> None:
        """Until the log says that training has resumed; prints the seconds from the fault to it."""
        self.wait_until(lambda: any(event not in fault.resumed_before for event in self.events("resumed")))
        print(f"recovery: {fault.name}: {time.monotonic() - fault.since:.0f} s")

    def assert_complete_and_equal_to(self, undisturbed: "WatchedRun") -> None:
        """Checkpoints and weights are those of a run that nobody disturbed."""
        self.assert_complete()
        assert self.checkpoints() == undisturbed.checkpoints()
        ours, theirs = self.weights(), undisturbed.weights()
        assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in theirs)

    def checkpoints(self) -> set[tuple[PhaseName, CheckpointName]]:
        """Those that are there; the best ones are of live heatmaps alone, which two epochs may end without."""
        names: tuple[CheckpointName, ...] = ("last", "best_loss", "best_accuracy")
        return {(phase, name) for phase in PhaseName for name in names if self.folder.checkpoint(phase, name).exists()}

    def assert_complete(self) -> None:
        """Nothing is missing, nothing doubled, and every checkpoint can be loaded."""
        assert self.folder.finished.exists()
        assert [event["global_epoch"] for event in self.events("epoch")] == list(range(1, EPOCHS_IN_ALL + 1))
        assert [event["phase"] for event in self.events("phase_end")] == list(PhaseName)
        found = self.checkpoints()
        assert found >= {(phase, "last") for phase in PhaseName}
        assert found >= {(PhaseName.CLASSIFIER, name) for name in ("best_loss", "best_accuracy")}
        for phase, name in found:
            load_model(self.folder.checkpoint(phase, name))

    def weights(self) -> dict[str, torch.Tensor]:
        return load_file(self.folder.checkpoint(PhaseName.JOINT, "last") / "model.safetensors")


def _has_come_to(line: dict, epoch: int) -> bool:
    """Whether a logged epoch is this one of the explainer phase, or a later one."""
    phase = PhaseName(line["phase"])
    return phase in PhaseName.EXPLAINER.later or (phase == PhaseName.EXPLAINER and line["epoch"] >= epoch)
