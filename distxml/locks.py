"""Locks between processes, on one machine or on a disk that nodes share; the system releases a dead process's locks."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from distxml.errors import InfrastructureError, UserError, reason_of

FOREVER = -1.0
"""Seconds to wait for a lock until whoever holds it has released it."""


class Lock:
    """A lock that this process holds until it is released, whichever thread does that."""

    def __init__(self, release: Callable[[], object]) -> None:
        self._release = release

    def release(self) -> None:
        """Let others have it."""
        self._release()


def try_lock(path: Path, patience: float = 0) -> Lock | None:
    """Lock the file `path`, which is made with the folders above it; None where another process holds it.

    Args:
        path: a file that is for nothing else.
        patience: seconds to wait for another process.

    Raises:
        OSError: the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=patience, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        return None
    return Lock(lock.release)


def try_lock_folder(folder: Path) -> Lock | None:
    """Lock a folder itself, which is made if need be and may get another name meanwhile.

    None where another process holds it, or has just given it another name.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as opened, suppress(BlockingIOError, FileNotFoundError):
        handle = os.open(folder, os.O_RDONLY)
        opened.callback(os.close, handle)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(handle), folder.stat()):
            return Lock(opened.pop_all().close)
    return None


def is_locked(path: Path) -> bool:
    """Whether another process holds the lock now.

    Raises:
        OSError: the file cannot be opened.
    """
    if not path.exists():
        return False
    lock = try_lock(path)
    if lock is not None:
        lock.release()
    return lock is None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for the lock and hold it inside the block.

    Raises:
        OSError: the file cannot be written.
    """
    lock = try_lock(path, FOREVER)
    assert lock is not None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def claimed(path: Path, name: str, busy: str, remedy: str, patience: float = 0) -> Iterator[None]:
    """Hold the lock of something that only one process may work on inside the block.

    Args:
        path: the lock.
        name: what is claimed, for the errors.
        busy: what the user is told where another process holds it.
        remedy: what to do where the lock cannot be written.
        patience: seconds to wait for another process.

    Raises:
        UserError: another process holds it.
        InfrastructureError: the lock cannot be written.
    """
    try:
        lock = try_lock(path, patience)
    except OSError as error:
        raise InfrastructureError(f"{name}: cannot be written ({reason_of(error)}); {remedy}") from None
    if lock is None:
        raise UserError(f"{name}: {busy}")
    try:
        yield
    finally:
        lock.release()
