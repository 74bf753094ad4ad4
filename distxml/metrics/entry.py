"""`MetricEntry`: what is known of one metric."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Better = Literal["higher", "lower", "neither"]
Origin = Literal["training", "quick_scores", "evaluation", "speed"]
"""Who computes it: training and validation, for every epoch; the quick scores of a few validation images, after each
epoch of the joint phase; `distxml evaluate`; or the run's own measurements of its speed, memory and progress."""

SHARE = "share, 0 to 1"
HEAT = "heat, 0 to 1"

IN_WORDS: Mapping[Better, str] = {"higher": "higher is better", "lower": "lower is better", "neither": ""}


@dataclass(frozen=True)
class MetricEntry:
    """What is known of a metric.

    Attributes:
        name: in metrics.jsonl, summary.json, sweep files and TensorBoard's tags.
        title: heading of a figure or a column.
        short: label where there is little room, as on the terminal.
        unit: of its values.
        better: which way; `neither` where neither a high nor a low value is good in itself.
        meaning: its definition, one sentence.
        computed_by: in the order in which a run gets there.
        remark: a few words that stand beside a value; may be empty.
        no_objective: why different models are not ranked by it, so that no sweep may look for it; empty where they may
            be.
    """

    name: str
    title: str
    short: str
    unit: str
    better: Better
    meaning: str
    computed_by: tuple[Origin, ...]
    remark: str = ""
    no_objective: str = ""

    @property
    def is_between_0_and_1(self) -> bool:
        """Whether its unit has these ends."""
        return self.unit in (SHARE, HEAT)

    @property
    def may_be_searched(self) -> bool:
        """Whether training logs it for the validation split, and a sweep may rank trials by it."""
        is_logged = "training" in self.computed_by or "quick_scores" in self.computed_by
        return is_logged and not self.no_objective

    @property
    def reading(self) -> str:
        """How to read a value, in a few words: the remark, and which way is better."""
        return "; ".join(filter(None, (self.remark, IN_WORDS[self.better])))

    @property
    def description(self) -> str:
        """All that is known of it, on one line."""
        better = f" {IN_WORDS[self.better].capitalize()}." if self.better != "neither" else ""
        return f"{self.title} ({self.unit}). {self.meaning}{better}"
