"""Metrics that are a mean over images, or a ratio of two."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from distxml.evaluation.columns import known, values_and_presence
from distxml.evaluation.intervals import Bootstrap, wilson
from distxml.evaluation.summary import Metric

Values = NDArray[np.float64]

MEANS = (
    "classification",
    "sparsity",
    "contiguity",
    "weak",
    "explanation",
    "total",
    "pompom",
    "pompom_all_pixels",
    "heat_mean",
    "heat_inside",
    "heat_outside",
)
"""Columns of the images whose means are metrics; over the images that have the value."""


def mean_metrics(images: pa.Table, bootstrap: Bootstrap) -> list[Metric]:
    """Accuracy, the means and the ratio of heat inside to outside the masks.

    The interval of accuracy is Wilson's; the others are bootstrapped as a sum over a sum.

    Args:
        images: with `IMAGES_SCHEMA`.
        bootstrap: over these images.
    """
    correct = images["label"].to_numpy() == images["predicted"].to_numpy()
    low, high = wilson(int(correct.sum()), len(correct))
    accuracy = Metric(name="accuracy", value=float(correct.mean()), low=low, high=high, images=len(correct))
    numerators: list[Values] = []
    denominators: list[Values] = []
    for name in MEANS:
        values, present = values_and_presence(images, name)
        numerators.append(values)
        denominators.append(present)
    inside, both = values_and_presence(images, "heat_inside")
    numerators.append(inside)
    denominators.append(values_and_presence(images, "heat_outside")[0])
    counts = [int(present.sum()) for present in [*denominators[:-1], both]]
    names = (*MEANS, "heat_ratio")
    return [accuracy, *_ratio_metrics(names, np.stack(numerators, 1), np.stack(denominators, 1), counts, bootstrap)]


def _ratio_metrics(
    names: tuple[str, ...], numerators: Values, denominators: Values, counts: list[int], bootstrap: Bootstrap
) -> list[Metric]:
    low, high = bootstrap.ratios(numerators, denominators)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = numerators.sum(0) / denominators.sum(0)
    return [
        Metric(name=name, value=known(values[i]), low=known(low[i]), high=known(high[i]), images=counts[i])
        for i, name in enumerate(names)
    ]
