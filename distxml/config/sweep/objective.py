"""Settings of what a sweep looks for: one metric, a weighted sum, or several metrics at once."""

from typing import Annotated, Literal, Self, cast

from pydantic import Field, field_validator, model_validator

from distxml.config.base import Settings
from distxml.metrics.lookup import METRICS
from distxml.registry import NameIn

MetricName = Annotated[str, NameIn("distxml.metrics.lookup:OBJECTIVE_METRICS")]
"""A metric of the validation split that training logs and models may be ranked by."""


class GoalSettings(Settings):
    """One metric of the validation split, at the last epoch of the joint phase."""

    goal: Literal["max", "min"] | None = None
    """Whether more is better, or less. Unset: as the table of metrics says (docs/metrics.md), where it says so."""
    weight: float = Field(default=1.0, gt=0)
    """Weight in the sum; of no meaning where `combine` is `pareto`."""


class LimitSettings(Settings):
    """A bound that a trial must keep to be worth anything: a budget of heat, a least accuracy."""

    at_most: float | None = None
    """Largest value that is allowed."""
    at_least: float | None = None
    """Smallest value that is allowed."""

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.at_most is None and self.at_least is None:
            raise ValueError("give at_most or at_least")
        return self

    def violation(self, value: float) -> float:
        """By how much the bound is missed; 0 where it is kept."""
        over = 0.0 if self.at_most is None else max(0.0, value - self.at_most)
        under = 0.0 if self.at_least is None else max(0.0, self.at_least - value)
        return over + under


class ObjectiveSettings(Settings):
    """What the best trial is best at."""

    metrics: dict[MetricName, GoalSettings] = Field(min_length=1)
    """The metrics, such as `accuracy: {goal: max}`, or `accuracy: {}` for what is better by the table of metrics."""
    combine: Literal["sum", "pareto"] = "sum"
    """Several metrics: their weighted sum (`min` counts negatively), or every trial that no other is better than in all
    of them."""
    limits: dict[MetricName, LimitSettings] = Field(default={})
    """Bounds, such as `sparsity: {at_most: 0.2}` (mean heat). A trial that misses one ranks below all that keep it."""

    @field_validator("metrics", "limits", mode="before")
    @classmethod
    def _models_compare(cls, given: object) -> object:
        names = cast(dict[object, object], given) if isinstance(given, dict) else ()
        for entry in METRICS:
            if entry.name in names and entry.no_objective:
                raise ValueError(f"{entry.name} is no objective: {entry.no_objective}")
        return cast(object, given)

    @field_validator("metrics")
    @classmethod
    def _every_goal_is_known(cls, metrics: dict[str, GoalSettings]) -> dict[str, GoalSettings]:
        return {
            name: goal if goal.goal else goal.model_copy(update={"goal": _goal(name)}) for name, goal in metrics.items()
        }

    @property
    def is_multiple(self) -> bool:
        """Whether there is a Pareto front rather than one best trial."""
        return self.combine == "pareto" and len(self.metrics) > 1

    @property
    def names(self) -> tuple[MetricName, ...]:
        """Every metric that a trial must have."""
        return tuple(dict.fromkeys([*self.metrics, *self.limits]))

    @property
    def needs_quick_scores(self) -> tuple[MetricName, ...]:
        """Those of them that only the recipe's `quick_scores` make."""
        return tuple(name for name in self.names if "training" not in METRICS[name].computed_by)


def _goal(name: str) -> Literal["max", "min"]:
    better = METRICS[name].better
    if better == "neither":
        raise ValueError(f"{name} has no goal: neither a high nor a low value is good in itself; add goal: max or min")
    return "max" if better == "higher" else "min"
