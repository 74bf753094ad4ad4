"""A training run as a process that a test disturbs: what its log says, and how long it took to recover."""

import json
import time
from dataclasses import dataclass

import torch
from safetensors.torch import load_file

from distxml.config.run_folder import RunFolder
from distxml.models.checkpoint import load_model
from distxml.monitoring.metrics_log import read_metrics
from tests.integration.command import SMALL_TRAINING
from tests.integration.faults.watched_process import WatchedProcess

EPOCHS = ("phases.0.epochs=2", "phases.1.epochs=8", "phases.2.epochs=2", "phases.1.until=null")
EPOCHS_IN_ALL = 12


@dataclass
class WatchedRun(WatchedProcess):
    """`distxml train polygons`."""

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.place / "runs" / self.name)

    def start(self, *more: str) -> None:
        """The command, with more settings than the run's own if need be."""
        name = f"run.name={self.name}"
        self.launch("train", "polygons", *SMALL_TRAINING, *EPOCHS, *self.settings, *more, name)

    def events(self, kind: str) -> list[dict]:
        """Of one kind, as far as they are written."""
        path = self.folder.metrics
        return [event for event in read_metrics(path) if event["event"] == kind] if path.exists() else []

    def wait_for_phase_2(self, epoch: int = 1) -> None:
        self.wait_until(lambda: any((line["phase"], line["epoch"]) >= (2, epoch) for line in self.events("epoch")))

    def steps_of_phase_2(self) -> int:
        """Steps of an unfinished epoch of phase 2 that the newest checkpoint holds; 0 where there is none."""
        try:
            state = (self.folder.checkpoint(2, "last") / "training_state.json").read_text()
        except FileNotFoundError:
            return 0
        return json.loads(state)["state"]["step_in_epoch"]

    def wait_for_recovery(self, fault: str, since: float, resumed_before: int) -> None:
        """Until the log has a new line; prints the seconds from the fault to it."""
        self.wait_until(lambda: len(self.events("resumed")) > resumed_before)
        print(f"recovery: {fault}: {time.monotonic() - since:.0f} s")

    def assert_complete_and_equal_to(self, undisturbed: "WatchedRun") -> None:
        """The weights are those of a run that nobody disturbed."""
        self.assert_complete()
        ours, theirs = self.weights(), undisturbed.weights()
        assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in theirs)

    def assert_complete(self) -> None:
        """Nothing is missing, nothing doubled."""
        assert self.folder.finished.exists()
        assert [event["global_epoch"] for event in self.events("epoch")] == list(range(1, EPOCHS_IN_ALL + 1))
        assert [event["phase"] for event in self.events("phase_end")] == [1, 2, 3]
        for phase in (1, 2, 3):
            for name in ("last", "best_loss", "best_accuracy"):
                load_model(self.folder.checkpoint(phase, name))

    def weights(self) -> dict[str, torch.Tensor]:
        return load_file(self.folder.checkpoint(3, "last") / "model.safetensors")
