"""`PhaseFigures`: how well each class is told from the others at the end of a phase."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class PhaseFigures:
    """Counts over a split, each image once.

    Attributes:
        classes: C names.
        confusion: C×C images by true class (row) and predicted class (column).
        true_positives, false_positives, true_negatives, false_negatives: C×T images; class c against the rest, where
            an image is taken for c if its probability is at least the threshold.
            T thresholds lie evenly from 0 to 1.
    """

    classes: tuple[str, ...]
    confusion: Counts
    true_positives: Counts
    false_positives: Counts
    true_negatives: Counts
    false_negatives: Counts

    def accuracy(self) -> float:
        """Share of the images that are classified correctly; there must be one at least."""
        return float(self.confusion.trace() / self.confusion.sum())

    def majority_baseline(self) -> float:
        """The accuracy of always predicting the most common class; there must be an image at least."""
        return float(self.confusion.sum(1).max() / self.confusion.sum())

    def precision(self) -> NDArray[np.float64]:
        """C×T: share of the images taken for c that are of it; 0 where none is taken for c, as TensorBoard has it."""
        return ratio(self.true_positives, self.true_positives + self.false_positives)

    def recall(self) -> NDArray[np.float64]:
        """C×T: share of c's images that are taken for c; 0 where the split has none."""
        return ratio(self.true_positives, self.true_positives + self.false_negatives)


def ratio(part: Counts, whole: Counts) -> NDArray[np.float64]:
    """Elementwise; 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros(np.broadcast_shapes(part.shape, whole.shape)), where=whole > 0)
