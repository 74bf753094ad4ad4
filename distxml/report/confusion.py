"""The confusion matrix, arranged for reading."""

from dataclasses import dataclass

from distxml.evaluation.summary import Summary


@dataclass(frozen=True)
class ConfusionRow:
    """A true class: how many images were predicted as each class, and their share of the row."""

    name: str
    counts: list[int]
    shares: list[float]


def confusion_rows(summary: Summary) -> list[ConfusionRow]:
    """The confusion matrix by true class."""
    return [
        ConfusionRow(name, list(counts), [count / max(1, sum(counts)) for count in counts])
        for name, counts in zip(summary.classes, summary.confusion, strict=True)
    ]
