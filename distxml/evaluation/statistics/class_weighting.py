"""The weights of the classes in the loss, as the evaluation's means take them."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from distxml.evaluation.statistics.columns import values_and_presence

Values = NDArray[np.float64]


@dataclass(frozen=True)
class ClassWeighting:
    """How much images weigh in the classification loss: as in training, by their class.

    Attributes:
        alpha: weight of the classification loss in the total.
        of_class: one per class, above 0; None: all the same.
    """

    alpha: float = 1.0
    of_class: tuple[float, ...] | None = None

    def parts(self, images: pa.Table, name: str) -> tuple[Values, Values]:
        """What each image adds to numerator and denominator of a column's mean over these images: N each.

        In the total the mean weight over these images is a constant: its interval does not vary with it.
        """
        values, present = values_and_presence(images, name)
        if self.of_class is None or name not in ("classification", "total"):
            return values, present
        weight = np.array(self.of_class)[images["label"].to_numpy()]
        if name == "classification":
            return values * weight, present * weight
        classification, _ = values_and_presence(images, "classification")
        return values + self.alpha * classification * (weight / weight.mean() - 1), present


EQUAL = ClassWeighting()
"""Every image weighs the same."""
