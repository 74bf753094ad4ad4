"""The errors that a user sees: what is wrong, where, and what to do about it."""

import signal
from collections.abc import Generator
from contextlib import contextmanager


class UserError(Exception):
    """Something that the user can mend: printed as one line, exit status 2, no traceback.

    The message names the file or the field, the value found, and the remedy.
    """


class HopelessError(UserError):
    """Training that these settings lead nowhere with: the same settings would end the same way again."""


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
