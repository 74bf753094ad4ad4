"""The one error that a user sees: what is wrong, where, and what to do about it."""


class UserError(Exception):
    """Something that the user can mend: printed as one line, exit status 2, no traceback.

    The message names the file or the field, the value found, and the remedy.
    """
