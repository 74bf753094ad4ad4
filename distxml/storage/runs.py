"""A run at a place: a folder of this machine, or a URI."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from distxml.config.locations import is_uri
from distxml.config.run_folder import RunFolder
from distxml.storage.files import open_store
from distxml.storage.patience import Notify, say
from distxml.storage.staging import make_staging, remove_staging, temporary_staging
from distxml.storage.stored_run import StoredRun
from distxml.storage.uploader import Uploader

SECONDS_TO_BEGIN = 20.0
"""How long a store is waited for before anything has begun."""
PUBLISHES_HERE = "publishes-here"
"""Name of a file beside the staged run on the first rank's node: other ranks leave the folder to that one."""


@contextmanager
def run_to_read(place: str, notify: Notify = say) -> Iterator[RunFolder]:
    """A run, as it is when the block begins, with its small files fetched; nothing is left of it here afterwards.

    Raises:
        UserError: nothing can open such a URI, or the store does not answer.
    """
    if not is_uri(place):
        yield RunFolder(Path(place))
        return
    store = open_store(place, notify, SECONDS_TO_BEGIN)
    with temporary_staging(place) as folder:
        run = StoredRun(folder, store)
        run.hold()
        fetch_small_files(run)
        yield run


@contextmanager
def run_to_train(place: str, notify: Notify = say) -> Iterator[RunFolder]:
    """A run for the driver of its training; it becomes the publisher only when the run is claimed.

    Raises:
        UserError: nothing can open such a URI, the store cannot be written, or something else is there.
    """
    if not is_uri(place):
        yield RunFolder(Path(place))
        return
    with temporary_staging(place) as folder:
        probe = StoredRun(folder, open_store(place, notify, SECONDS_TO_BEGIN))
        probe.has_begun()
        probe.store.require_writable()
        run = StoredRun(folder, open_store(place, notify))
        fetch_small_files(run)
        yield run


@contextmanager
def run_of_worker(place: str, attempt: str, *, is_first: bool, notify: Notify = say) -> Iterator[RunFolder]:
    """A run for one of the workers that a driver has started; the first one publishes.

    Args:
        place: of the run.
        attempt: token of the driver.
        is_first: whether this is the first rank.
        notify: told where the store does not answer.

    Raises:
        UserError: another driver has taken over, or the store does not answer.
    """
    if not is_uri(place):
        yield RunFolder(Path(place))
        return
    run = StoredRun(make_staging(place, attempt), open_store(place, notify))
    publishes_here = run.path.parent / PUBLISHES_HERE
    if is_first:
        publishes_here.touch()
    with _publishing(run, attempt) if is_first else nullcontext():
        yield run
    if is_first or not publishes_here.exists():  # not after an error: workers that replace these may be at work there
        remove_staging(run.path)


@contextmanager
def _publishing(run: StoredRun, attempt: str) -> Iterator[None]:
    run.begin(driver=attempt)
    fetch_small_files(run)
    uploader = Uploader.start(run, attempt)
    try:
        yield
    finally:
        uploader.finish()


def fetch_small_files(run: RunFolder) -> None:
    """What every reader of a run's folder looks for."""
    for path in (run.config, run.dataset, run.environment, run.metrics, run.finished):
        run.fetch(path)
