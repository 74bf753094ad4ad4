"""A sweep as a process that a test disturbs: what its records and its trials' logs say."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from distxml.tuning.records import SweepFolder, TrialRecord
from distxml.tuning.run_figures import RunFigures, run_figures
from tests.integration.command import DISTXML

SMALL = {
    "loader.image_size": 16,
    "loader.batch_size": 8,
    "model.classifier": "small_resnet",
    "model.width": 4,
    "model.explainer_width": 4,
    "run.gallery": 0,
    "scaling.workers": 1,
    "quick_scores.images": 4,
    "phases.0.epochs": 2,
    "phases.0.until": None,
    "phases.1.epochs": 2,
    "phases.1.until": None,
    "phases.2.epochs": 2,
}
ALONE = {"RAY_ADDRESS": "local"}
"""Each sweep with a Ray of its own, unless a test says otherwise."""
WORKER = "ray::RayTrainWorker"
"""Part of the name of a process that trains."""


@dataclass
class WatchedSweep:
    """`distxml tune` in `place`, its process in a group of its own."""

    place: Path
    name: str
    content: dict
    environment: dict[str, str] = field(default_factory=lambda: dict(ALONE))
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        plain = {
            "name": self.name,
            "recipe": "polygons",
            "search": {"kind": "grid"},
            "objective": {"metrics": {"accuracy": {"goal": "max"}, "aopc": {"goal": "max"}}},
        }
        content = plain | self.content | {"settings": SMALL | self.content.get("settings", {})}
        self.file.write_text(yaml.safe_dump(content))

    @property
    def file(self) -> Path:
        return self.place / f"{self.name}.yaml"

    @property
    def folder(self) -> SweepFolder:
        return SweepFolder(self.place / "runs" / self.name)

    @property
    def output(self) -> str:
        """What all processes of this sweep have printed."""
        return self._log.read_text()

    @property
    def _log(self) -> Path:
        return self.place / f"{self.name}.log"

    @property
    def records(self) -> list[TrialRecord]:
        return self.folder.load()

    def figures(self, number: int) -> RunFigures:
        return run_figures(self.folder.run(number))

    def start(self, *words: str) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*DISTXML, "tune", str(self.file), *words],
                cwd=self.place,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | self.environment,
                start_new_session=True,
            )

    def finish(self, status: int = 0, seconds: float = 300) -> None:
        assert self.process is not None
        assert self.process.wait(timeout=seconds) == status, self.output

    def wait_until(self, condition, seconds: float = 240) -> None:
        assert self.process is not None
        start = time.monotonic()
        while not condition():
            assert self.process.poll() is None, f"the sweep ended too early:\n{self.output}"
            assert time.monotonic() - start < seconds, f"waited too long:\n{self.output}"
            time.sleep(0.05)

    def descendants(self, kind: str = "") -> list[int]:
        """Living processes of the sweep's session whose command holds `kind`."""
        assert self.process is not None
        listing = subprocess.run(["ps", "-eo", "pid,sid,stat,args"], capture_output=True, text=True, check=True).stdout
        rows = [line.split(maxsplit=3) for line in listing.splitlines()[1:]]
        return [
            int(pid) for pid, session, state, words in rows
            if int(session) == self.process.pid and kind in words and state[0] != "Z"
        ]  # fmt: skip

    def wait_until_gone(self, pids: set[int], seconds: float) -> None:
        """Also while the sweep ends: it may be over before they are looked for."""
        start = time.monotonic()
        while pids & set(self.descendants()):
            assert time.monotonic() - start < seconds, f"still there: {pids & set(self.descendants())}\n{self.output}"
            time.sleep(0.05)

    def kill_driver(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=60)

    def kill_everything(self) -> None:
        if self.process is None:
            return
        for pid in self.descendants():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(timeout=60)
