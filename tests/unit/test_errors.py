"""Errors in one line, and their kinds."""

import errno

import pytest

from distxml.errors import ERRORS, InfrastructureError, UnrecoverableError, UserError, cause_of, is_disk_full, reason_of


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a/b"), "No space left on device"),
        (OSError("two\nlines"), "two"),
        (ValueError("  padded \n"), "padded"),
        (KeyError(), "KeyError"),
    ],
)
def test_an_error_in_one_line(error: Exception, reason: str) -> None:
    assert reason_of(error) == reason


@pytest.mark.parametrize(("number", "full"), [(errno.ENOSPC, True), (errno.EDQUOT, True), (errno.ENOENT, False)])
def test_a_full_disk_is_known(number: int, full: bool) -> None:
    assert is_disk_full(OSError(number, "text")) is full


@pytest.mark.parametrize("kind", [UserError, UnrecoverableError, InfrastructureError])
def test_the_kind_of_an_error_travels(kind: type[UserError]) -> None:
    assert ERRORS[cause_of(kind("wrong"))] is kind
