"""A metrics log that is followed while another process writes it: each event is read once."""

import os
from pathlib import Path
from typing import Any, BinaryIO

from distxml.monitoring.metrics_log import parse_event


class MetricsTail:
    """Reads what was appended since it read last; a log that was replaced or cut is read from its beginning.

    Attributes:
        bytes_read: so far, in all.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bytes_read = 0
        self._forget()

    def read(self) -> tuple[list[dict[str, Any]], bool]:
        """The events that are new, and whether the log is another one now, so that all read before are void.

        Damaged lines are left out; a line is read once its end is written. A log that is not there is empty.
        """
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            was_read = self._end > 0
            self._forget()
            return [], was_read
        with file:
            is_another = not self._continues(file)
            if is_another:
                self._forget()
            return self._new_events(file), is_another

    def _forget(self) -> None:
        self._file, self._end, self._last_line = (0, 0), 0, b""

    def _continues(self, file: BinaryIO) -> bool:
        """Whether all that was read is still there.

        The last line is compared too: a file that replaces another may have its number and be longer.
        """
        if self._end == 0:
            return True
        if _number(file) != self._file:
            return False
        file.seek(self._end - len(self._last_line))
        found = file.read(len(self._last_line))
        self.bytes_read += len(found)
        return found == self._last_line

    def _new_events(self, file: BinaryIO) -> list[dict[str, Any]]:
        file.seek(self._end)
        text = file.read()
        self.bytes_read += len(text)
        *lines, _cut_off = text.split(b"\n")
        if lines:
            self._file, self._last_line = _number(file), lines[-1] + b"\n"
            self._end += sum(len(line) + 1 for line in lines)
        events = [parse_event(line.decode(errors="replace")) for line in lines]
        return [event for event in events if event is not None]


def _number(file: BinaryIO) -> tuple[int, int]:
    """What the system knows an open file by, whatever its name."""
    status = os.fstat(file.fileno())
    return status.st_dev, status.st_ino
