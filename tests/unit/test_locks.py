"""Locks: one holder at a time, and what the others are told."""

import errno
import fcntl
import os
from pathlib import Path

import pytest
from filelock import FileLock

from distxml.errors import InfrastructureError, UserError
from distxml.locks import claimed, is_locked, locked, try_lock, try_lock_folder


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "deep" / ".lock"
    lock = try_lock(path)
    assert lock is not None and try_lock(path) is None and is_locked(path)
    lock.release()
    assert not is_locked(path)
    with locked(path):
        assert is_locked(path)
    assert not is_locked(path)


def test_nobody_holds_what_is_not_there(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "deep" / ".lock")
    assert not (tmp_path / "deep").exists()


def test_a_folder_that_got_another_name_is_not_ours(tmp_path: Path) -> None:
    folder = tmp_path / "making"
    lock = try_lock_folder(folder)
    assert lock is not None and try_lock_folder(folder) is None
    folder.rename(tmp_path / "made")
    lock.release()
    again = try_lock_folder(folder)
    assert again is not None
    again.release()


def open_handles() -> set[str]:
    """What the process has open."""
    return {os.path.realpath(path) for path in Path("/proc/self/fd").iterdir()}


def test_a_folder_that_gets_another_name_while_it_is_locked_is_not_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, flock = tmp_path / "making", fcntl.flock

    def late(handle: int, flags: int) -> None:
        flock(handle, flags)
        folder.rename(tmp_path / "made")

    monkeypatch.setattr(fcntl, "flock", late)
    assert try_lock_folder(folder) is None
    assert str(tmp_path / "made") not in open_handles()


def test_a_folder_that_cannot_be_locked_is_closed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: int, flags: int) -> None:
        assert str(tmp_path) in open_handles()
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(OSError, match="locks"):
        try_lock_folder(tmp_path)
    assert str(tmp_path) not in open_handles()


def test_a_claim_says_who_is_in_the_way(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    claim = claimed(path, "run a", "somebody trains it", "choose another")
    with FileLock(path), pytest.raises(UserError, match=r"^run a: somebody trains it$"), claim:
        pytest.fail("was not ours")
    claim = claimed(path, "run a", "somebody trains it", "choose another")
    with pytest.raises(OSError, match="ours to see"), claim:
        raise OSError("ours to see")
    assert not is_locked(path)


def test_a_claim_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    claim = claimed(tmp_path / "file" / ".lock", "run a", "somebody trains it", "choose another")
    with pytest.raises(InfrastructureError, match=r"^run a: cannot be written \(.*\); choose another$"), claim:
        pytest.fail("was not ours")
