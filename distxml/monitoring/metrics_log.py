"""`metrics.jsonl`: one JSON object a line, in the order of events."""

import json
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from distxml.monitoring.events import EVENT_NAMES, LoggedEvent


class MetricsLog:
    """Appends events; after a crash, forgets what the checkpoint that training goes on from does not know."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, event: LoggedEvent) -> None:
        """Append one event, flushed to disk."""
        line = (
            {"event": EVENT_NAMES[type(event)]} | asdict(event) | {"time": datetime.now(UTC).isoformat("T", "seconds")}
        )
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def forget_after(self, global_epoch: int) -> None:
        """Drop lines of epochs later than `global_epoch`, and a last line that was cut off."""
        if not self.path.exists():
            return
        kept = [json.dumps(line) + "\n" for line in read_metrics(self.path) if line["global_epoch"] <= global_epoch]
        fresh = self.path.with_suffix(".new")
        fresh.write_text("".join(kept), encoding="utf-8")
        fresh.rename(self.path)


def read_metrics(path: Path) -> list[dict]:
    """The events of a log; lines that a crash cut off are left out."""
    events: list[dict] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            events.append(json.loads(line))
        except ValueError:
            continue
    return events
