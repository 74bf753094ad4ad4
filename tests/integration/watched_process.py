"""A command as a process that a test disturbs, with everything that it starts."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.integration.command import DISTXML
from tests.integration.ray_cluster import RayCluster

PATIENCE = 600.0
"""Seconds; ten times what a quiet machine of two cores takes, so that a busy one fails no test."""

TRAIN_WORKER = "ray::RayTrainWorker"
"""Part of the name of a process that trains."""


@dataclass
class WatchedProcess:
    """`distxml ...` in `place`, its process in a group of its own; started any number of times.

    Attributes:
        place: working directory.
        name: of its log.
        settings: that every start has.
        cluster: that it joins; without one it starts a Ray of its own.
    """

    place: Path
    name: str
    settings: tuple[str, ...] = ()
    cluster: RayCluster | None = None
    process: subprocess.Popen[bytes] | None = None

    @property
    def output(self) -> str:
        """What all processes have printed, in all starts."""
        return self._log.read_text()

    @property
    def _log(self) -> Path:
        return self.place / f"{self.name}.log"

    def launch(self, *words: str) -> None:
        """Run `distxml` with these words."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*DISTXML, *words],
                cwd=self.place,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | (self.cluster.environment if self.cluster else {}),
                start_new_session=True,
            )

    def wait_until(self, condition: Callable[[], object], seconds: float = PATIENCE) -> None:
        assert self.process is not None
        start = time.monotonic()
        while not condition():
            assert self.process.poll() is None, f"it ended too early:\n{self.output}"
            assert time.monotonic() - start < seconds, f"waited too long:\n{self.output}"
            time.sleep(0.05)

    def signal(self, number: int, whole_group: bool = False) -> int:
        """The exit status after a signal."""
        assert self.process is not None
        (os.killpg if whole_group else os.kill)(self.process.pid, number)
        return self.process.wait(timeout=120)

    def finish(self, status: int = 0) -> None:
        assert self.process is not None
        try:
            assert self.process.wait(timeout=PATIENCE) == status, self.output
        except subprocess.TimeoutExpired:
            self.kill_everything()
            raise

    def descendants(self, word: str = "") -> list[int]:
        """Living processes of the command, and with a `word` of the cluster, whose command line holds the word."""
        assert self.process is not None
        sessions = {self.process.pid, self.cluster.process.pid if self.cluster and word else self.process.pid}
        listing = subprocess.run(["ps", "-eo", "pid,sid,stat,args"], capture_output=True, text=True, check=True).stdout
        rows = [line.split(maxsplit=3) for line in listing.splitlines()[1:]]
        return [
            int(pid) for pid, session, state, words in rows
            if int(session) in sessions and word in words and state[0] != "Z"
        ]  # fmt: skip

    def kill_everything(self) -> None:
        """As a power cut does: the driver, Ray's own processes and the workers, all at once."""
        assert self.process is not None
        for pid in self.descendants():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(timeout=60)
