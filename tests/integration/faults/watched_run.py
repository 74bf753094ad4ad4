"""A training run as a process that a test disturbs: what its log says, and how long it took to recover."""

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import load_file

from distxml.config.run_folder import RunFolder
from distxml.models.checkpoint import load_model
from distxml.monitoring.metrics_log import read_metrics
from tests.integration.command import DISTXML, SMALL_TRAINING

EPOCHS = ("phases.0.epochs=2", "phases.1.epochs=8", "phases.2.epochs=2", "phases.1.until=null")
EPOCHS_IN_ALL = 12


@dataclass
class WatchedRun:
    """`distxml train polygons` in `place`, its process in a group of its own."""

    place: Path
    name: str
    settings: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.place / "runs" / self.name)

    @property
    def output(self) -> str:
        """What all processes of this run have printed."""
        return self._log.read_text()

    @property
    def _log(self) -> Path:
        return self.place / f"{self.name}.log"

    def start(self, *more: str) -> None:
        """The command, with more settings than the run's own if need be."""
        command = [
            *DISTXML,
            "train",
            "polygons",
            *SMALL_TRAINING,
            *EPOCHS,
            f"run.name={self.name}",
            *self.settings,
            *more,
        ]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, f"run.name={self.name}"],
                cwd=self.place,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | self.environment,
                start_new_session=True,
            )

    def events(self, kind: str) -> list[dict]:
        """Of one kind, as far as they are written."""
        path = self.folder.metrics
        return [event for event in read_metrics(path) if event["event"] == kind] if path.exists() else []

    def wait_until(self, condition, seconds: float = 240) -> None:
        assert self.process is not None
        start = time.monotonic()
        while not condition():
            assert self.process.poll() is None, f"the run ended too early:\n{self.output}"
            assert time.monotonic() - start < seconds, f"waited too long:\n{self.output}"
            time.sleep(0.05)

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

    def signal(self, number: int, whole_group: bool = False) -> int:
        """The exit status after a signal."""
        assert self.process is not None
        (os.killpg if whole_group else os.kill)(self.process.pid, number)
        return self.process.wait(timeout=60)

    def finish(self) -> None:
        assert self.process is not None
        assert self.process.wait(timeout=200) == 0, self.output

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

    def descendants(self, word: str = "") -> list[int]:
        """Living processes of the run's session whose command line holds `word`."""
        assert self.process is not None
        listing = subprocess.run(["ps", "-eo", "pid,sid,stat,args"], capture_output=True, text=True, check=True).stdout
        rows = [line.split(maxsplit=3) for line in listing.splitlines()[1:]]
        return [
            int(pid) for pid, session, state, words in rows
            if int(session) == self.process.pid and word in words and state[0] != "Z"
        ]  # fmt: skip

    def kill_everything(self) -> None:
        """As a power cut does: the driver, Ray's own processes and the workers, all at once."""
        assert self.process is not None
        for pid in self.descendants():
            os.kill(pid, signal.SIGKILL)
        self.process.wait(timeout=60)
