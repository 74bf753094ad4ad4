"""The Ray cluster that most commands of the tests join: joining takes a second, starting a local Ray many."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class RayCluster:
    """Two nodes of one CPU each.

    Attributes:
        process: rules it; all that belongs to the cluster is in the session of this process, workers too.
        address: of the head.
        whole: whether both nodes are there.
    """

    process: subprocess.Popen[str]
    address: str
    whole: bool = True

    @property
    def environment(self) -> dict[str, str]:
        """In which a command joins it."""
        return {"RAY_ADDRESS": self.address, "RAY_AUTH_MODE": "token"}

    def lose_node(self) -> None:
        """As a power cut does; the head stays."""
        self._tell("lose")
        self.whole = False

    def add_node(self) -> None:
        self._tell("add")
        self.whole = True

    def _tell(self, word: str) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"


@contextmanager
def ray_cluster() -> Iterator[RayCluster]:
    """One that is up until the block ends."""
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.integration.two_nodes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment | {"RAY_AUTH_MODE": "token"},
        start_new_session=True,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        address = process.stdout.readline().strip()
        assert address, "the cluster did not come up"
        yield RayCluster(process, address)
        process.stdin.close()
        process.wait(timeout=120)
