"""Means of the loss terms, the accuracy and the heat over all images of an epoch, on all ranks.

What each metric means is in `distxml.metrics.table`.
"""

import math
from dataclasses import astuple, dataclass, fields

import torch
from torch import Tensor

from distxml.config.guard import GuardSettings
from distxml.data.batch import Batch
from distxml.losses import JointLoss
from distxml.models.joint import JointOutput
from distxml.training.distributed import sum_over_ranks

EPSILON = 1e-6

Metrics = dict[str, float]
"""The loss's terms (`LossTerms`; weak only where an image was annotated), accuracy, black, white; and difference (how
much the heatmaps of two images differ) where there were two images in a batch."""

STEPS_BETWEEN_UPDATES = 10
"""Every so many steps the ranks add up what they counted, and the running means are updated."""

DECAY_PER_STEP = 0.9
"""Weight of a step in the means relative to the step after it: half the weight lies on the last 7 steps, as a heatmap
may fall from white to black within 20."""


def share_below(heatmap: Tensor, bound: float) -> Tensor:
    """Share of each heatmap's pixels below `bound`: B×1×H×W to B."""
    return (heatmap < bound).float().mean((1, 2, 3))


def share_above(heatmap: Tensor, bound: float) -> Tensor:
    """Share of each heatmap's pixels above `bound`: B×1×H×W to B."""
    return (heatmap > bound).float().mean((1, 2, 3))


def difference_to_next(heatmap: Tensor) -> Tensor:
    """How much each heatmap differs from the next one of the batch, the last from the first: B×1×H×W to B.

    The sum over pixels of |h - h'| over that of h + h': 0 where both are the same, 1 where no pixel is lit in both.
    """
    heatmap = heatmap.float()
    following = heatmap.roll(-1, 0)
    apart = (heatmap - following).abs().sum((1, 2, 3))
    return apart / (heatmap + following).sum((1, 2, 3)).clamp_min(EPSILON)


def pairs_that_count(weight: Tensor) -> Tensor:
    """1 for each image that counts and whose next one in the batch is another that counts, else 0: B to B."""
    return weight * weight.roll(-1, 0) if len(weight) > 1 else torch.zeros_like(weight)


@dataclass(frozen=True)
class EpochSums:
    """Sums over the images that were counted in an epoch; their order here is that of the tensors they come from.

    Attributes:
        sparsity, contiguity, weak: of the loss's terms.
        correct: images that are classified correctly.
        black, white: of the shares of such pixels.
        classification: of the cross-entropy times the weight of the image's class.
        difference: between the heatmaps of the pairs of images.
        images: their number.
        class_weight: of the weights of their classes.
        pairs: number of pairs of images that were compared.
        annotated: number of images that have a mask.
    """

    sparsity: float = 0.0
    contiguity: float = 0.0
    weak: float = 0.0
    correct: float = 0.0
    black: float = 0.0
    white: float = 0.0
    classification: float = 0.0
    difference: float = 0.0
    images: float = 0.0
    class_weight: float = 0.0
    pairs: float = 0.0
    annotated: float = 0.0

    def __sub__(self, before: "EpochSums") -> "EpochSums":
        """What was counted since `before`."""
        return EpochSums(*(now - then for now, then in zip(astuple(self), astuple(before), strict=True)))


SUM_NAMES = tuple(field.name for field in fields(EpochSums))
NOTHING_COUNTED = EpochSums()


class EpochMetrics:
    """Sums over images, so that batches of any size, and ranks with any share, count each image once.

    `update` with every batch, `compute` at the end.
    """

    def __init__(
        self, loss: JointLoss, guard: GuardSettings, device: torch.device, before: EpochSums = NOTHING_COUNTED
    ) -> None:
        """
        Args:
            loss: whose terms are averaged.
            guard: says which pixels are black and which are white.
            device: where the sums are kept.
            before: `sums_over_ranks` of the part of the epoch that was counted already; on one rank only.
        """
        self.loss = loss
        self.guard = guard
        self._sums = torch.tensor(astuple(before), dtype=torch.float64, device=device)  # in the order of SUM_NAMES

    @torch.no_grad()
    def update(self, output: JointOutput, batch: Batch) -> None:
        """Count a batch's images; those of weight 0 do not count."""
        columns = self._columns(output, batch)
        self._sums += torch.stack([columns[name] for name in SUM_NAMES]).double().sum(1)  # names×B to names

    def _columns(self, output: JointOutput, batch: Batch) -> dict[str, Tensor]:
        """What each image adds to each of the sums: B each."""
        each = self.loss.each(output.logits, output.heatmap, batch.label, batch.mask, batch.has_mask)
        class_weight = self.loss.class_weight(batch.label) * batch.weight
        pairs = pairs_that_count(batch.weight)
        return {
            "sparsity": each.sparsity * batch.weight,
            "contiguity": each.contiguity * batch.weight,
            "weak": each.weak * batch.weight,
            "correct": (output.logits.argmax(1) == batch.label).float() * batch.weight,
            "black": share_below(output.heatmap, self.guard.black_below) * batch.weight,
            "white": share_above(output.heatmap, self.guard.white_above) * batch.weight,
            "classification": each.classification * class_weight,
            "difference": difference_to_next(output.heatmap) * pairs,
            "images": batch.weight,
            "class_weight": class_weight,
            "pairs": pairs,
            "annotated": each.annotated * batch.weight,
        }

    def compute(self) -> Metrics:
        """Means over the images of all ranks; every rank must call it."""
        return self.means(self.sums_over_ranks())

    def compute_on_this_rank(self) -> Metrics:
        """Means over this rank's images so far."""
        return self.means(EpochSums(*self._sums.tolist()))

    def sums_over_ranks(self) -> EpochSums:
        """What was counted so far on all ranks; every rank must call it."""
        return EpochSums(*sum_over_ranks(self._sums).tolist())

    def means(self, sums: EpochSums) -> Metrics:
        """The means that some sums stand for."""
        images = sums.images or math.nan  # nothing counted: not a number
        terms = self.loss.combine(
            classification=_float64(sums.classification / (sums.class_weight or math.nan)),
            sparsity=_float64(sums.sparsity / images),
            contiguity=_float64(sums.contiguity / images),
            weak=_float64(sums.weak / sums.annotated if sums.annotated else 0.0),
            annotated=_float64(sums.annotated / images),
        )
        shares = {"accuracy": sums.correct / images, "black": sums.black / images, "white": sums.white / images}
        shares |= {"difference": sums.difference / sums.pairs} if sums.pairs else {}
        known = {name: float(value) for name, value in terms.items() if name != "weak" or sums.annotated}
        return known | shares


def _float64(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


@dataclass
class RunningMeans:
    """Exponential means over steps of what a phase is judged by; saved with every checkpoint.

    Attributes:
        own_loss: the phase's own loss (`state.own_loss`).
        black, white: shares of such pixels.
        difference: between the heatmaps of two images; 1 where that is unknown.
        counted: `EpochMetrics.sums_over_ranks` when the means were updated; later steps are not in them yet.
    """

    own_loss: float
    black: float
    white: float
    difference: float
    counted: EpochSums = NOTHING_COUNTED

    def update(self, window: Metrics, own_loss: str, steps: int, sums: EpochSums) -> None:
        """Take in the last `steps` steps.

        Args:
            window: means over those steps.
            own_loss: name of the phase's own loss in it.
            steps: their number.
            sums: what the epoch has counted, those steps included.
        """
        keep = DECAY_PER_STEP**steps
        self.own_loss = keep * self.own_loss + (1 - keep) * window[own_loss]
        self.black = keep * self.black + (1 - keep) * window["black"]
        self.white = keep * self.white + (1 - keep) * window["white"]
        self.difference = keep * self.difference + (1 - keep) * window.get("difference", 1.0)
        self.counted = sums
