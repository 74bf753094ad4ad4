"""The errors that a user sees (what is wrong, where, and what to do about it), and other errors in plain words."""

import errno
from typing import Literal


class UserError(Exception):
    """Something that the user can mend: printed as one line, exit status 2, no traceback.

    The message names the file or the field, the value found, and the remedy.
    """


class UnrecoverableError(UserError):
    """Training that cannot succeed with these settings: the same settings would end the same way again."""


class InfrastructureError(UserError):
    """A fault of a disk, the dataset's location or the cluster, not of the settings: once it is mended, the same
    command resumes."""


Cause = Literal["unknown", "unrecoverable", "infrastructure"]
"""A kind of `UserError`, as it travels between processes."""

ERRORS: dict[Cause, type[UserError]] = {
    "unrecoverable": UnrecoverableError,
    "infrastructure": InfrastructureError,
    "unknown": UserError,
}


def cause_of(error: UserError) -> Cause:
    """The kind of an error; `ERRORS` leads back."""
    return next(cause for cause, kind in ERRORS.items() if isinstance(error, kind))


def is_disk_full(error: OSError) -> bool:
    """Whether a file found no room: a full disk, a used-up quota or a limit on the size of files."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def reason_of(error: BaseException) -> str:
    """One line for the brackets of "FILE: cannot be read (…)": what the system says, without the file's name."""
    text = getattr(error, "strerror", None) or str(error)
    return next(iter(str(text).strip().splitlines()), type(error).__name__)
