"""The errors that a user sees: what is wrong, where, and what to do about it."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal


class UserError(Exception):
    """Something that the user can mend: printed as one line, exit status 2, no traceback.

    The message names the file or the field, the value found, and the remedy.
    """


class HopelessError(UserError):
    """Training that these settings lead nowhere with: the same settings would end the same way again."""


class OutsideError(UserError):
    """A disk, the dataset's place or the cluster is in the way, not the settings: once that is mended, the same command
    goes on."""


Cause = Literal["unknown", "hopeless", "outside"]
"""A kind of `UserError`, as it travels between processes."""
ERRORS: dict[Cause, type[UserError]] = {"hopeless": HopelessError, "outside": OutsideError, "unknown": UserError}


def cause_of(error: UserError) -> Cause:
    """The kind of an error; `ERRORS` leads back."""
    return next(cause for cause, kind in ERRORS.items() if isinstance(error, kind))


class Interrupted(Exception):
    """Somebody stopped a command that can go on later: printed as one line.

    Attributes:
        status: exit status, 128 + the signal's number.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@contextmanager
def interruptible(message: str) -> Generator[None]:
    """Ctrl-C and, once Ray is started, SIGTERM become `Interrupted` with this message."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(message, 128 + signal.SIGINT) from None
    except SystemExit as stopped:  # Ray's own handler
        if stopped.code != signal.SIGTERM:
            raise
        raise Interrupted(message, 128 + signal.SIGTERM) from None
