"""`metrics.jsonl`: one JSON object per line, in the order of events."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from distxml.config.phases import PhaseName
from distxml.files import append, write_whole
from distxml.monitoring.events import EVENT_NAMES, LoggedEvent


class MetricsLog:
    """Appends events; after a crash, forgets what the checkpoint that training resumes from does not know."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, event: LoggedEvent) -> None:
        """Append one event, flushed to disk."""
        line = (
            {"event": EVENT_NAMES[type(event)]} | asdict(event) | {"time": datetime.now(UTC).isoformat("T", "seconds")}
        )
        append(self.path, json.dumps(line) + "\n")

    def forget_after(self, global_epoch: int, phase: PhaseName, tries: int) -> None:
        """Drop damaged lines, and what the checkpoint that training resumes from does not know of.

        Args:
            global_epoch: finished epochs of all phases.
            phase, tries: the present phase, and how often the collapse guard has acted in it.
        """
        if not self.path.exists():
            return
        known = [line for line in read_metrics(self.path) if line["global_epoch"] <= global_epoch]
        later = [line for line in known if line["event"] == "guard" and _act(line) > (phase.number, tries)]
        kept = [json.dumps(line) + "\n" for line in known if line not in later]
        write_whole(self.path, "".join(kept))


def _act(line: dict[str, Any]) -> tuple[int, int]:
    """Which act of the guard a line is: they are ordered by this."""
    return PhaseName(line["phase"]).number, line["tries"]


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The events of a log; damaged lines are left out, so that a log never keeps training from resuming."""
    return [event for _, event in numbered_events(path) if event is not None]


def numbered_events(path: Path) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Every line's number, from 1, and its event; None where the line is damaged. One cut off at the end is left out.

    An event has the fields `event` and `global_epoch` (0 where it was not stated); others are not checked.
    """
    *lines, _cut_off = path.read_text(encoding="utf-8", errors="replace").split("\n")
    for number, line in enumerate(lines, start=1):
        yield number, parse_event(line)


def parse_event(line: str) -> dict[str, Any] | None:
    """The event of a line; None where it is damaged."""
    try:
        content = json.loads(line)
        return content | _Line.model_validate(content).model_dump()
    except (ValueError, RecursionError):  # a ValidationError is a ValueError
        return None


class _Line(BaseModel):
    """What every event has."""

    model_config = ConfigDict(strict=True)

    event: str
    global_epoch: int = 0
