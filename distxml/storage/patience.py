"""How long a store is waited for: bounded, never in silence."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

import pyarrow as pa

from distxml.errors import InfrastructureError, reason_of

Answer = TypeVar("Answer")
Notify = Callable[[str], None]

FAULTS = (OSError, pa.ArrowException)
"""What pyarrow raises where a store does not do what it is asked."""
MIN_PAUSE, MAX_PAUSE = 0.25, 8.0
SECONDS_OF_SILENCE = 10.0
"""A call that has not answered by then is told of."""
REFUSALS = ("ACCESS_DENIED", "NO_SUCH_BUCKET", "INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH", "NoSuchBucket")
"""In what a store says where trying again is of no use."""


def say(message: str) -> None:
    """What nobody else listens to goes to standard error."""
    print(f"distxml: note: {message}", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Patience:
    """How long, and who is told.

    Attributes:
        seconds: from the first failure of a call to giving it up.
        notify: gets one line when a call fails first or is silent for long, and one when the store answers again.
    """

    seconds: float
    notify: Notify = say

    def ask(self, name: str, call: Callable[[], Answer]) -> Answer:
        """What `call` returns; tried again where it fails.

        Args:
            name: of what is read or written; for messages.
            call: may be made several times.

        Raises:
            FileNotFoundError: there is no such object.
            InfrastructureError: the store refuses, or has not answered for `seconds`.
        """
        began, pause, told = time.monotonic(), MIN_PAUSE, False
        while True:
            try:
                with nullcontext() if told else self._watched(name):
                    answer = call()
            except FileNotFoundError:
                raise
            except FAULTS as error:
                waited = time.monotonic() - began
                if _is_refusal(error) or waited + pause > self.seconds:
                    raise _unanswered(name, error, waited) from None
                if not told:
                    self.notify(f"{name}: {_reason(error)}; trying again for {self.seconds:.0f} s")
                    told = True
                time.sleep(pause)
                pause = min(2 * pause, MAX_PAUSE)
            else:
                if told:
                    self.notify(f"{name}: answers again after {time.monotonic() - began:.0f} s")
                return answer

    @contextmanager
    def _watched(self, name: str) -> Iterator[None]:
        """Tell of a call that takes long: it may be slow, or nobody may be there."""
        message = f"{name}: no answer for {SECONDS_OF_SILENCE:.0f} s; still waiting"
        timer = threading.Timer(SECONDS_OF_SILENCE, self.notify, [message])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _is_refusal(error: BaseException) -> bool:
    return isinstance(error, PermissionError | NotImplementedError) or any(word in str(error) for word in REFUSALS)


def _unanswered(name: str, error: BaseException, waited: float) -> InfrastructureError:
    tried = f"tried for {waited:.0f} s; " if waited >= 1 else ""
    return InfrastructureError(
        f"{name}: the store does not do it ({_reason(error)}); {tried}once it does, the same command resumes"
    )


def _reason(error: BaseException) -> str:
    """The store's own words."""
    text = reason_of(error).partition(" (Request ID")[0]
    _, aws, reason = text.partition("AWS Error ")  # what comes before it says at length what was asked for
    return (aws + reason or text)[:160]
