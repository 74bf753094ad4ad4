"""The errors that a user sees: what is wrong, where, and what to do about it."""


class UserError(Exception):
    """Something that the user can mend: printed as one line, exit status 2, no traceback.

    The message names the file or the field, the value found, and the remedy.
    """


class Interrupted(Exception):
    """Somebody stopped a command that can go on later: printed as one line.

    Attributes:
        status: exit status, 128 + the signal's number.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
