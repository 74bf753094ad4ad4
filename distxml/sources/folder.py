"""The user's folders of raw material."""

from pathlib import Path

from distxml.errors import UserError


def require_folder(setting: str, folder: Path) -> None:
    """Stop unless `folder`, which the user named in `setting`, is there.

    Raises:
        UserError: it is not, or cannot be asked for.
    """
    if not str(folder).isprintable():
        raise UserError(f"{setting}: {str(folder)!a} holds characters that cannot be printed; rename the folder")
    try:
        present = folder.is_dir()
    except OSError as error:
        raise UserError(f"{setting}: {folder}: cannot be read ({error.strerror}); set {setting}=FOLDER") from None
    if not present:
        raise UserError(f"{setting}: no such folder: {folder}; set {setting}=FOLDER")


def visible_entries(folder: Path) -> list[Path]:
    """What lies directly in `folder`, by name, without what is hidden.

    Raises:
        UserError: it may not be listed, or what lies in it may not be asked for.
    """
    try:
        entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        for path in entries[:1]:
            path.lstat()  # a folder may be listed by someone who may not go into it
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"{folder}: cannot be read ({reason}); change its permissions or name another") from None
    return entries
