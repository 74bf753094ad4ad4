"""What grows while a run trains, its log and event files, uploaded by a process of its own.

The process outlives the worker that has started it: whether the worker ends well, fails, is interrupted or is killed,
what it has written is uploaded to the end. Only the loss of the node loses what is not uploaded yet.
"""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from distxml.errors import UserError
from distxml.storage.files import Store, open_store
from distxml.storage.patience import say
from distxml.storage.publishing import newest_driver
from distxml.storage.stored_run import TRAINING, StoredRun

SECONDS_BETWEEN_LOOKS = 2.0
SECONDS_BETWEEN_UPLOADS = 20.0
"""Of the same file, which is uploaded as a whole."""
UPLOADING_SHARE = 0.1
"""Of the time, at most, is spent on uploading one file again and again, however large it has grown."""
SECONDS_TO_FINISH = 60.0
NAMES = ("metrics.jsonl", "tensorboard")


@dataclass(frozen=True)
class Uploader:
    """The process, seen from the worker."""

    process: "subprocess.Popen[bytes]"

    @staticmethod
    def start(run: StoredRun, attempt: str) -> "Uploader":
        """It ends when this process does, or is told to."""
        told = json.dumps([run.store.name, str(run.path), attempt, os.getpid()])
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, told],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        process.wait()  # it has started another, whose parent is not this process: Ray ends a worker's children
        return Uploader(process)

    def finish(self) -> None:
        """Tell it that all is written, and wait until it is uploaded."""
        assert self.process.stdin is not None and self.process.stdout is not None
        with suppress(OSError):
            self.process.stdin.close()
        select.select([self.process.stdout], [], [], SECONDS_TO_FINISH)  # readable at its end: it never writes


@dataclass
class _Uploads:
    """What was uploaded when, and how long that took."""

    store: Store
    folder: Path
    seen: dict[Path, tuple[int, int]] = field(default_factory=dict)
    due: dict[Path, float] = field(default_factory=dict)

    def changed(self, *, all_: bool) -> dict[Path, tuple[int, int]]:
        """Files with their present state: all that have changed, or without those that were uploaded just now."""
        found: dict[Path, tuple[int, int]] = {}
        for path in _files(self.folder):
            with suppress(FileNotFoundError):
                status = path.stat()
                now = (status.st_size, status.st_mtime_ns)
                if self.seen.get(path) != now and (all_ or time.monotonic() >= self.due.get(path, 0)):
                    found[path] = now
        return found

    def upload(self, changed: dict[Path, tuple[int, int]]) -> None:
        """Each as a whole."""
        for path, state in changed.items():
            began = time.monotonic()
            self.store.put(path.relative_to(self.folder).as_posix(), path)
            took = time.monotonic() - began
            self.seen[path] = state
            self.due[path] = began + max(SECONDS_BETWEEN_UPLOADS, took / UPLOADING_SHARE)


def _files(folder: Path) -> Iterator[Path]:
    for name in NAMES:
        path = folder / name
        yield from sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _keep_uploading(store: Store, folder: Path, attempt: str, parent: int, end: IO[bytes]) -> None:
    """Until the parent is gone or has closed `end`, then once more."""
    uploads, over = _Uploads(store, folder), False
    while not over:
        readable, _, _ = select.select([end], [], [], SECONDS_BETWEEN_LOOKS)
        over = bool(readable) or not Path(f"/proc/{parent}").exists()
        changed = uploads.changed(all_=over)
        if changed and newest_driver(store, TRAINING) != attempt:
            return
        with suppress(UserError):  # said already; the next look tries again
            uploads.upload(changed)


def main() -> None:
    """Leave the parent first."""
    if os.fork():
        os._exit(0)
    uri, folder, attempt, parent = json.loads(sys.argv[1])
    store = open_store(uri, say, SECONDS_TO_FINISH)
    with suppress(UserError):
        _keep_uploading(store, Path(folder), attempt, parent, sys.stdin.buffer)


if __name__ == "__main__":
    main()
