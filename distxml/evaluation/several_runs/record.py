"""`several_runs.json`: the figures of several runs of one recipe, over runs and images together.

Every figure has the value of each run, their mean, and the standard deviation between the runs. Intervals are of 95%
and hold for a new run and new images (patients) together; None from fewer than `MIN_RUNS` runs, where the single runs'
are unknown, and for what is no mean over images.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from distxml.config.evaluation import EvaluationSettings, Fill, Method, Order, Scoring
from distxml.evaluation.verdict import Verdict, verdict
from distxml.metrics.lookup import BETTER_AOPC

NO_INTERVAL = "without an interval: its rows are not kept with the results"
"""Of the primary comparison under the other gate."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScoredRun(_Record):
    """A run, and what its figures were read from."""

    folder: str
    """The run's folder, relative to the one that holds this file; `.` is that one."""
    name: str
    """`run.name` of its recipe."""
    seed: int
    """`run.seed` of its recipe."""
    checkpoint: str
    """Folder of the scored checkpoint, relative to the run's."""
    sha256: str
    """Checksum of its weights."""
    explainer_checkpoint: str
    """Folder of the checkpoint whose explainer made the in-model heatmaps."""
    explainer_sha256: str
    """Checksum of its weights."""
    summary_sha256: str
    """Checksum of the `summary.json` of its evaluation."""


class FigureOverRuns(_Record):
    """A figure of every run, and what they say together."""

    of_runs: tuple[float | None, ...]
    """The value of each run, in their order; None where it is not defined."""
    value: float | None
    """Their mean; None where a run has none."""
    spread: float | None
    """Standard deviation between the runs' values."""
    low: float | None
    high: float | None
    images: int
    """Images that each run's value is over; where they differ, the fewest."""
    groups: int | None
    """Groups that these images are of; None: no image has a group, images are taken as independent."""


class MetricOverRuns(FigureOverRuns):
    """A metric of the classifier and the in-model heatmap (`method` is None), or how a method's heatmaps agree with the
    masks."""

    name: str
    """As in the runs' own summaries."""
    method: Method | None


class AopcOverRuns(FigureOverRuns):
    """AOPC of a method in an order, at a setting or over all of them."""

    method: Method
    order: Order
    patch_size: int | None
    """Side in pixels; None: the mean over all patch sizes."""
    fill: Fill | None
    """None: the mean over all patch sizes and fills."""


class ComparisonOverRuns(FigureOverRuns):
    """AOPC of a method minus that of another, image by image in every run."""

    method: Method
    other: Method
    order: Order
    patch_size: int | None
    """Side in pixels; None: the mean over all patch sizes."""
    fill: Fill | None
    """None: the mean over all patch sizes and fills."""
    p: float | None
    """p-value of "the difference is 0", two-sided. The primary comparison: its own, the larger of that over runs and
    groups and those of the mean run over groups alone. Those over all patch sizes and fills: adjusted for their number
    (Holm). None for the others: with few runs nothing would be left of them."""
    primary: bool
    """Whether it is the primary comparison, which the settings named beforehand."""

    @property
    def verdict(self) -> Verdict | None:
        """Whether the difference is more than chance; None where it was not tested, as with two runs nothing is."""
        if self.p is None:
            return None
        return verdict(self.p, self.low, self.high, self.value or 0.0, BETTER_AOPC[self.order])


class OtherGateOverRuns(_Record):
    """The primary comparison under the other gate, on the same images."""

    f: Scoring
    """`fixed` where `recompute` was scored, and the other way round."""
    comparison: ComparisonOverRuns
    """Without interval and p-value: results keep no rows of it, and the spread of the runs, which have the same
    images, says nothing of new ones."""


class SeveralRuns(_Record):
    """The whole file; it lies in the folder of the first run."""

    format: Literal["distxml-several-runs"] = "distxml-several-runs"
    """Marks the file."""
    version: Literal[2] = 2
    """Version of the layout."""
    made_by: str
    """distxml and its version."""
    runs: tuple[ScoredRun, ...]
    """In the order in which they were named."""
    dataset_name: str
    """Name of the dataset."""
    dataset_sha256: str
    """Checksum of its `dataset.json`."""
    images: int
    """Images of the split, the same in every run."""
    groups: int | None
    """Groups (patients) that they are of; None: no image of the split has a group."""
    curve_images: int
    """Images that were perturbed, the same in every run."""
    curve_groups: int | None
    """Groups that these are of."""
    settings: EvaluationSettings
    """What was asked for."""
    primary_is_of_recipe: bool
    """Whether the primary comparison is the one that the runs' recipe names, as in their own summaries."""
    metrics: tuple[MetricOverRuns, ...]
    heatmaps: tuple[MetricOverRuns, ...]
    aopc: tuple[AopcOverRuns, ...]
    """In the order of the runs' own summaries, as the next two."""
    aopc_overall: tuple[AopcOverRuns, ...]
    """The same over all patch sizes, at every fill and then over all fills."""
    comparisons: tuple[ComparisonOverRuns, ...]
    """The pairs of the runs' own summaries, in their order."""
    primary_under_other_gate: OtherGateOverRuns | None
    """None where the runs' own summaries have none."""

    @model_validator(mode="after")
    def _is_whole(self) -> "SeveralRuns":
        rows = (*self.metrics, *self.heatmaps, *self.aopc, *self.aopc_overall, *self.comparisons)
        under = self.primary_under_other_gate
        rows = (*rows, under.comparison) if under else rows
        if len(self.runs) < 2 or any(len(row.of_runs) != len(self.runs) for row in rows):
            raise ValueError(f"a figure is not of all {len(self.runs)} runs")
        return self

    @property
    def primary(self) -> ComparisonOverRuns | None:
        """The primary comparison; None where it was not computed."""
        return next((row for row in self.comparisons if row.primary), None)

    @property
    def fills(self) -> list[Fill]:
        """Every fill that AOPC was measured with; each asks a question of its own."""
        return list(dict.fromkeys(row.fill for row in self.aopc if row.fill is not None))

    def comparison(
        self, method: Method, other: Method, order: Order, fill: Fill | None = None
    ) -> ComparisonOverRuns | None:
        """Of two methods over all patch sizes, at a fill or over all of them; None where it was not made."""
        place = (method, other, order, fill)
        rows = (row for row in self.comparisons if row.patch_size is None)
        return next((row for row in rows if (row.method, row.other, row.order, row.fill) == place), None)

    def overall(self, order: Order, fill: Fill | None = None) -> list[AopcOverRuns]:
        """AOPC over all patch sizes in an order, at a fill or over all of them; `random` is in both orders."""
        rows = (row for row in self.aopc_overall if row.fill == fill)
        return [row for row in rows if row.order == order or row.method == "random"]
