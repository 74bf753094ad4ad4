"""Units of a run, from a store to this node: what arrived is compared with the ledger's sums."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from distxml.checksums import SUMS_NAME
from distxml.digest import file_digest
from distxml.errors import UserError
from distxml.files import remove_folder, whole_file, whole_folder
from distxml.storage.files import Store
from distxml.storage.ledger import StoredFile

TRIES = 2
"""What arrives wrong once may have changed on the way."""


def fetch_file(store: Store, file: StoredFile, target: Path) -> None:
    """One that is a unit of its own; one that is there already stays.

    Raises:
        UserError: the object is gone, or is not what was written.
        InfrastructureError: the store does not answer.
    """
    if target.is_file() and file_digest(target) == file.sha256:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(target) as opened:
        damage = _download(store, file, Path(opened.name))
        if damage is not None:
            raise UserError(f"{store.named(file.object)}: {damage}; restore the object, or start another run")


def fetch_folder(store: Store, files: Mapping[str, StoredFile], target: Path, names: Collection[str]) -> None:
    """Files of a folder; those that are there already stay.

    What is gone or damaged is not told here: the folder lacks it then, or its own checksums tell.

    Args:
        store: of the run.
        files: of the folder.
        target: the folder here.
        names: the files that are wanted; of all, where none are named.
    """
    wanted = [name for name in files if not names or name in names or name == SUMS_NAME]
    if _is_same(target, files):
        missing = [name for name in wanted if not (target / name).exists()]
        for name in missing:
            with suppress(FileNotFoundError), whole_file(target / name) as opened:
                if _download(store, files[name], Path(opened.name)) == GONE:
                    raise FileNotFoundError
        return
    with whole_folder(target) as fresh:
        for name in wanted:
            if _download(store, files[name], fresh / name) == GONE:
                (fresh / name).unlink(missing_ok=True)


def forget(target: Path) -> None:
    """What the run has no more."""
    if target.is_dir():
        remove_folder(target)
    else:
        target.unlink(missing_ok=True)


GONE = "is gone"


def _is_same(target: Path, files: Mapping[str, StoredFile]) -> bool:
    """Whether a folder here is of the same writing: its sums are of all its files."""
    sums = target / SUMS_NAME
    return SUMS_NAME in files and sums.is_file() and file_digest(sums) == files[SUMS_NAME].sha256


def _download(store: Store, file: StoredFile, target: Path) -> str | None:
    """What is wrong with what arrived; None: nothing."""
    for _ in range(TRIES):
        try:
            if store.download(file.object, target) == file.sha256:
                return None
        except FileNotFoundError:
            return GONE
    return "is not what was written: its SHA-256 is not the one in the ledger"
