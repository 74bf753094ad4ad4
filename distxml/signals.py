"""How a command is asked to stop, by Ctrl-C or SIGTERM, and says that it can be resumed."""

import signal
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(Exception):
    """Somebody stopped a command that can be resumed: printed as one line.

    Attributes:
        status: exit status, 128 + the signal's number.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@contextmanager
def interruptible(message: str) -> Generator[None]:
    """Inside the block, Ctrl-C and (once Ray is started) SIGTERM raise `Interrupted` with this message."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(message, 128 + signal.SIGINT) from None
    except SystemExit as stopped:  # Ray's own handler
        if stopped.code != signal.SIGTERM:
            raise
        raise Interrupted(message, 128 + signal.SIGTERM) from None


class StopRequest:
    """Whether somebody asked to stop.

    Nothing is raised where the signal arrives: that is mostly inside `ray.get`, which would turn it into another error.

    Attributes:
        signal: the signal's number; 0 as long as nobody asked.
    """

    def __init__(self) -> None:
        self.signal = 0
        self._end: Callable[[], object] | None = None

    def ask(self, number: int) -> None:
        """Note the signal that asks, and end the run."""
        self.signal = number
        if self._end:
            self._end()

    def ended_by(self, end: Callable[[], object]) -> None:
        """Set what ends the run: called when somebody asks, or now if somebody has."""
        self._end = end
        if self.signal:
            end()


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Catch the first Ctrl-C or SIGTERM inside the block; a second one has its usual effect.

    Python gives signals to the main thread alone: in another thread nobody ever asks. Enter the block after `ray.init`,
    which sets handlers of its own.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def catch(number: int, _frame: FrameType | None) -> None:
        restore()
        request.ask(number)

    for number in before:
        signal.signal(number, catch)
    try:
        yield request
    finally:
        restore()
