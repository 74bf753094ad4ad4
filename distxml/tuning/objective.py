"""Which trial is better: by the objective's metrics, below the limits first."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from distxml.config.sweep.objective import ObjectiveSettings

BROKEN_LIMIT = 1000.0
"""What missing a limit costs in the one number that trials are compared by: more than any metric can make up for."""


@dataclass(frozen=True)
class ObjectiveValue:
    """What a trial's metrics are worth.

    Attributes:
        values: of the objective's metrics in their order, each turned so that more is better.
        violation: by how much its limits are missed, together; 0 where all are kept.
        score: one number, more is better.
    """

    values: tuple[float, ...]
    violation: float
    score: float


class Objective:
    """Scores metrics by the objective's settings."""

    def __init__(self, settings: ObjectiveSettings) -> None:
        self.settings = settings

    def score(self, metrics: Mapping[str, float]) -> ObjectiveValue | None:
        """What the metrics are worth; None where one is missing or no number."""
        named = {name: metrics.get(name, math.nan) for name in self.settings.names}
        if not all(math.isfinite(value) for value in named.values()):
            return None
        signs = {name: 1 if goal.goal == "max" else -1 for name, goal in self.settings.metrics.items()}
        values = tuple(signs[name] * named[name] for name in signs)
        weights = [goal.weight for goal in self.settings.metrics.values()]
        violation = sum(limit.violation(named[name]) for name, limit in self.settings.limits.items())
        total = sum(weight * value for weight, value in zip(weights, values, strict=True))
        return ObjectiveValue(values, violation, total - (BROKEN_LIMIT * (1 + violation) if violation else 0))

    def in_words(self) -> str:
        """For a table's heading."""
        goals = self.settings.metrics.items()
        if self.settings.is_multiple:
            words = ", ".join(f"{name} {'up' if goal.goal == 'max' else 'down'}" for name, goal in goals)
        else:
            words = " ".join(
                f"{'+' if goal.goal == 'max' else '-'} {'' if goal.weight == 1 else f'{goal.weight:g} '}{name}"
                for name, goal in goals
            ).removeprefix("+ ")
        limits = [
            f"{name} {sign} {bound:g}"
            for name, limit in self.settings.limits.items()
            for sign, bound in (("≤", limit.at_most), ("≥", limit.at_least))
            if bound is not None
        ]
        return words + (f" with {', '.join(limits)}" if limits else "")


def pareto_front(found: Sequence[ObjectiveValue]) -> list[int]:
    """Indices of the values that none beats, among those that miss the limits least."""
    if not found:
        return []
    least = min(value.violation for value in found)
    allowed = [index for index, value in enumerate(found) if value.violation <= least]
    return [
        index for index in allowed if not any(_beats(found[other].values, found[index].values) for other in allowed)
    ]


def _beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(mine >= theirs for mine, theirs in zip(one, other, strict=True))
