"""A sweep as a process that a test disturbs: what its records and its trials' logs say."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from distxml.tuning.records import SweepFolder, TrialRecord
from distxml.tuning.trial_history import TrialHistory
from tests.integration.watched_process import TRAIN_WORKER, WatchedProcess

SMALL = {
    "loader.image_size": 16,
    "loader.batch_size": 8,
    "model.classifier": "small_resnet",
    "model.width": 4,
    "model.explainer_width": 4,
    "run.gallery": 0,
    "scaling.workers": 1,
    "quick_scores.images": 4,
    "phases.classifier.epochs": 2,
    "phases.classifier.until": None,
    "phases.explainer.epochs": 2,
    "phases.explainer.until": None,
    "phases.joint.epochs": 2,
}


@dataclass
class WatchedSweep(WatchedProcess):
    """`distxml tune` with a file of its own in `place`.

    Attributes:
        content: of the file, beside what is the same in all of them.
    """

    content: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        plain = {
            "name": self.name,
            "recipe": "polygons",
            "store": f"phases of {self.name}",
            "search": {"kind": "grid"},
            "objective": {"metrics": {"accuracy": {"goal": "max"}, "flips_above_random": {"goal": "max"}}},
        }
        content = plain | self.content | {"settings": SMALL | self.content.get("settings", {})}
        self.file.write_text(yaml.safe_dump(content))

    @property
    def file(self) -> Path:
        return self.place / f"{self.name}.yaml"

    @property
    def folder(self) -> SweepFolder:
        return SweepFolder(self.place / "runs" / self.name)

    @property
    def records(self) -> list[TrialRecord]:
        return self.folder.load()

    def figures(self, number: int) -> TrialHistory:
        return TrialHistory(self.folder.run(number)).update()

    def start(self, *words: str) -> None:
        """The command, with more words than its own if need be."""
        self.launch("tune", str(self.file), *self.settings, *words)

    def wait_until_gone(self, pids: set[int], seconds: float) -> None:
        """Also while the sweep ends: it may be over before they are looked for."""
        start = time.monotonic()
        while left := pids & set(self.descendants(TRAIN_WORKER)):
            assert time.monotonic() - start < seconds, f"still there: {left}\n{self.output}"
            time.sleep(0.05)
