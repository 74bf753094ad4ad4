"""The errors that a user sees: what is wrong, where, and what to do about it."""

from typing import Literal


class UserError(Exception):
    """Something that the user can mend: printed as one line, exit status 2, no traceback.

    The message names the file or the field, the value found, and the remedy.
    """


class UnrecoverableError(UserError):
    """Training that these settings lead nowhere with: the same settings would end the same way again."""


class InfrastructureError(UserError):
    """A disk, the dataset's place or the cluster is in the way, not the settings: once that is mended, the same command
    goes on."""


Cause = Literal["unknown", "hopeless", "outside"]
"""A kind of `UserError`, as it travels between processes."""

ERRORS: dict[Cause, type[UserError]] = {
    "hopeless": UnrecoverableError,
    "outside": InfrastructureError,
    "unknown": UserError,
}


def cause_of(error: UserError) -> Cause:
    """The kind of an error; `ERRORS` leads back."""
    return next(cause for cause, kind in ERRORS.items() if isinstance(error, kind))
