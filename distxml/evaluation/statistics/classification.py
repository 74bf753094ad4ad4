"""How well the classifier does: confusion matrix, ROC, precision-recall.

With two classes, class 1 is the positive one. With more, each class is held against the rest, and `macro` is the mean
over the classes. A class without images (or without others) has no curve and is left out.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distxml.evaluation.statistics.groups import Size
from distxml.evaluation.statistics.resamples import Resamples
from distxml.evaluation.summary_rows import AREAS, ClassCurve, Metric
from distxml.evaluation.verdict import LEVEL, MIN_GROUPS

Values = NDArray[np.float64]
Labels = NDArray[np.int64]

Ends = tuple[float | None, float | None]

PERCENTILES = (100 * LEVEL / 2, 100 * (1 - LEVEL / 2))


def confusion_matrix(predicted: Labels, label: Labels, classes: int) -> tuple[tuple[int, ...], ...]:
    """Images per true class (row) and predicted class (column)."""
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (label, predicted), 1)
    return tuple(map(tuple, counts.tolist()))


def scored_classes(label: Labels, classes: int) -> list[int]:
    """Classes that are held against the rest: those that have images and others to be told from."""
    candidates = [1] if classes == 2 else range(classes)
    return [index for index in candidates if 0 < (label == index).sum() < len(label)]


def roc_curves(probabilities: Values, label: Labels, classes: Sequence[str]) -> tuple[ClassCurve, ...]:
    """False-positive rate, true-positive rate and area of every scored class, from (0, 0) on.

    Args:
        probabilities: N×C.
        label: N.
        classes: C names.
    """
    curves: list[ClassCurve] = []
    for index in scored_classes(label, len(classes)):
        found = _Thresholds.of(probabilities[:, index], label == index, np.ones((1, len(label))))
        x, y = _from_zero(found.fallout)[0], _from_zero(found.recall)[0]
        area = float(found.roc_auc()[0])
        curves.append(ClassCurve(class_name=classes[index], x=tuple(x.tolist()), y=tuple(y.tolist()), area=area))
    return tuple(curves)


def precision_recall_curves(probabilities: Values, label: Labels, classes: Sequence[str]) -> tuple[ClassCurve, ...]:
    """Recall, precision and average precision of every scored class, down to (0, 1); arguments as in `roc_curves`."""
    curves: list[ClassCurve] = []
    for index in scored_classes(label, len(classes)):
        found = _Thresholds.of(probabilities[:, index], label == index, np.ones((1, len(label))))
        x, y = np.append(found.recall[0, ::-1], 0), np.append(found.precision[0, ::-1], 1)
        area = float(found.average_precision()[0])
        curves.append(ClassCurve(class_name=classes[index], x=tuple(x.tolist()), y=tuple(y.tolist()), area=area))
    return tuple(curves)


def area_metrics(
    roc: Sequence[ClassCurve], pr: Sequence[ClassCurve], probabilities: Values, label: Labels, resamples: Resamples
) -> list[Metric]:
    """`roc_auc` and `average_precision`, the mean over the classes, with intervals.

    The intervals are percentiles of a bootstrap over groups. A resample that lacks one of the classes has no mean and
    does not count. Where all resamples agree, as they do when the classes are separated without an error, they say
    nothing of the spread, and so do fewer than `MIN_GROUPS` groups with a class or without: the interval is unknown.

    Args:
        roc, pr: one curve per class that can be scored, with its area.
        probabilities: N×C.
        label: N, indices of classes.
        resamples: of the groups of the N images.
    """
    classes, size = scored_classes(label, probabilities.shape[1]), resamples.groups.size()
    if not classes:
        return [_area(name, None, (None, None), size) for name in AREAS]
    samples = np.concatenate([_macro(probabilities, label, classes, counts) for counts in resamples.image_counts()])
    values = [float(np.mean([curve.area for curve in curves])) for curves in (roc, pr)]
    ends = _ends(samples) if _are_enough(label, classes, resamples) else [(None, None)] * len(AREAS)
    return [_area(name, value, pair, size) for name, value, pair in zip(AREAS, values, ends, strict=True)]


def _are_enough(label: Labels, classes: Sequence[int], resamples: Resamples) -> bool:
    """Whether every scored class has images, and others to be told from, in `MIN_GROUPS` groups each."""
    sides = [side for index in classes for side in (label == index, label != index)]
    return all(resamples.groups.over(side).count >= MIN_GROUPS for side in sides)


def _area(name: str, value: float | None, ends: Ends, size: Size) -> Metric:
    return Metric(name=name, value=value, low=ends[0], high=ends[1], images=size.images, groups=size.groups)


def _ends(samples: Values) -> list[Ends]:
    """2.5th and 97.5th percentiles of R×K samples, of which NaN do not count; unknown where they agree."""
    with warnings.catch_warnings(action="ignore"):  # of columns that are all NaN, which stay so
        low, high = np.nanpercentile(samples, PERCENTILES, axis=0, method="nearest")
    return [(float(one), float(other)) if one < other else (None, None) for one, other in zip(low, high, strict=True)]


@dataclass(frozen=True, eq=False)
class _Thresholds:
    """Rates of R resamples at each of T thresholds, the highest first: R×T.

    Attributes:
        recall: true-positive rate.
        fallout: false-positive rate.
        precision: share of what is found that is right.
    """

    recall: Values
    fallout: Values
    precision: Values

    @classmethod
    def of(cls, score: Values, positive: NDArray[np.bool_], counts: Values) -> "_Thresholds":
        """Arguments as in `weighted_areas`; images with the same score have one threshold."""
        order = np.argsort(-score, kind="stable")
        last_of_ties = np.flatnonzero(np.diff(score[order], append=np.nan) != 0)
        found = (counts * positive)[:, order].cumsum(1)[:, last_of_ties]  # true positives
        false = (counts * ~positive)[:, order].cumsum(1)[:, last_of_ties]
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = np.nan_to_num(found / (found + false))
            return cls(found / found[:, -1:], false / false[:, -1:], precision)

    def roc_auc(self) -> Values:
        """R areas under the ROC curve, by trapezoids."""
        return np.asarray(np.trapezoid(_from_zero(self.recall), _from_zero(self.fallout), axis=1))

    def average_precision(self) -> Values:
        """R sums of precision times the step in recall."""
        return (np.diff(self.recall, axis=1, prepend=0) * self.precision).sum(1)


def weighted_areas(score: Values, positive: NDArray[np.bool_], counts: Values) -> Values:
    """ROC AUC and average precision of R resamples: R×2; NaN where one has no positives or no negatives.

    Args:
        score: N.
        positive: N.
        counts: R×N, how often each image counts.
    """
    found = _Thresholds.of(score, positive, counts)
    roc = found.roc_auc()
    return np.stack([roc, np.where(np.isnan(roc), np.nan, found.average_precision())], axis=1)


def _macro(probabilities: Values, label: Labels, classes: Sequence[int], counts: Values) -> Values:
    areas = [weighted_areas(probabilities[:, index], label == index, counts) for index in classes]
    return np.mean(areas, axis=0)


def _from_zero(values: Values) -> Values:
    return np.pad(values, ((0, 0), (1, 0)))
