"""Runs an iterator in a thread of its own, a few elements ahead of whoever consumes it."""

import queue
import threading
from collections.abc import Generator, Iterable
from typing import TypeVar

Element = TypeVar("Element")


class _End:
    """Closes the queue; carries the error that ended the iterator, if any."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def read_ahead(elements: Iterable[Element], depth: int) -> Generator[Element]:
    """The same elements in the same order; at most `depth` of them wait.

    An error of the iterator is raised here after the elements before it. Closing this generator ends the thread.
    """
    waiting: queue.Queue[Element | _End] = queue.Queue(depth)
    closed = threading.Event()

    def put(element: Element | _End) -> bool:
        while not closed.is_set():
            try:
                waiting.put(element, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def run() -> None:
        error = None
        try:
            for element in elements:
                if not put(element):
                    return
        except BaseException as raised:
            error = raised
        put(_End(error))

    thread = threading.Thread(target=run, name="read-ahead", daemon=True)
    thread.start()
    try:
        while not isinstance(element := waiting.get(), _End):
            yield element
        if element.error is not None:
            raise element.error
    finally:
        closed.set()
        thread.join()
