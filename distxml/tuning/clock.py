"""How long a sweep has taken, interruptions left out."""

import time
from contextlib import suppress

from distxml.tuning.records import SweepFolder

SECONDS_BETWEEN_SAVES = 10.0
"""The most that a kill -9 of the driver takes from the count."""


class SweepClock:
    """Runs from its creation; what earlier drivers of the sweep took counts."""

    def __init__(self, folder: SweepFolder) -> None:
        self._folder, self._before, self._began = folder, folder.seconds_so_far(), time.monotonic()
        self._saved = self._began

    @property
    def seconds(self) -> float:
        """So far, in all."""
        return self._before + time.monotonic() - self._began

    def save_now_and_then(self) -> None:
        """Save, unless that was done a moment ago; a disk that is full just now costs no more than that."""
        if time.monotonic() - self._saved >= SECONDS_BETWEEN_SAVES:
            with suppress(OSError):
                self.save()
            self._saved = time.monotonic()

    def save(self) -> None:
        """Write it down."""
        self._folder.save_seconds(self.seconds)
