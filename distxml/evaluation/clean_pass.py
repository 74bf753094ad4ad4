"""The clean pass: an image as it is, its heatmap, its logits, its target, before anything is perturbed."""

from dataclasses import dataclass

import torch
from torch import Tensor

from distxml.attribution.explained import Explained
from distxml.data.batch import Batch
from distxml.data.rows import Row, collate, decode
from distxml.errors import UserError
from distxml.evaluation.brief import Brief
from distxml.evaluation.image_record import ImageRecord, describe
from distxml.losses import JointLoss


@dataclass(frozen=True)
class CleanImage:
    """One unperturbed image.

    Attributes:
        batch: of 1.
        logits: 1×C of the scored model.
        heatmap: 1×1×H×W, the explainer's.
        record: its row of `images.parquet`.
        target: the class that is explained and followed.
    """

    batch: Batch
    logits: Tensor
    heatmap: Tensor
    record: ImageRecord
    target: int

    @property
    def key(self) -> str:
        """Of the dataset."""
        return self.record.key


class CleanPass:
    """Makes clean images, one at a time, so that each is the same to the bit in any company."""

    def __init__(self, explained: Explained, brief: Brief, device: torch.device) -> None:
        self.explained, self.brief, self.device = explained, brief, device
        recipe = brief.recipe
        self.loss = JointLoss(recipe.loss.kind, recipe.phases[2].alpha, recipe.loss.beta, recipe.loss.gamma)

    def of(self, row: Row) -> CleanImage:
        """The clean image of a row.

        Raises:
            UserError: it does not decode, or the model's output is not finite.
        """
        batch = collate([decode(row, self.brief.image_size)]).to(self.device)
        with torch.no_grad():
            heatmap = self.explained.heatmap(batch.image)
            logits = self.explained.logits(batch.image, "white" if self.explained.f == "phase1" else heatmap)
            terms = self.loss.each(logits, heatmap, batch.label, batch.mask)
        for name, values in (("logits", logits), ("heatmap", heatmap)):
            if not values.isfinite().all():
                raise UserError(f"image {row.key}: the model's {name} are not finite; train the run again")
        record = describe(batch, logits, heatmap, terms)
        return CleanImage(batch, logits, heatmap, record, self._target(record))

    def _target(self, record: ImageRecord) -> int:
        if self.brief.target_class is not None:
            return self.brief.target_class
        return record.label if self.brief.recipe.evaluation.target == "label" else record.predicted
