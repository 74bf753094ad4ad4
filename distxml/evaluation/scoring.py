"""Scoring images with one model: the clean pass, the heatmaps, the curves. Knows nothing of Ray.

The clean pass and the heatmaps are made one image at a time, so that they, and with them the order of the patches,
are the same to the bit whichever images share a batch; only f(x(k)) is computed in full batches.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from distxml.attribution.method import HeatmapMethod, make_method
from distxml.config.evaluation import Method
from distxml.config.recipe import Recipe
from distxml.data.batch import Batch
from distxml.data.rows import Row, collate, decode
from distxml.errors import UserError
from distxml.evaluation.aopc import aopc
from distxml.evaluation.curves import Perturbation, morf_curves
from distxml.evaluation.fills import make_fills
from distxml.evaluation.image_record import CurveRecord, ImageRecord, describe, to_table
from distxml.evaluation.patches import PatchOrder, morf_order, rank_of_pixels
from distxml.evaluation.plan import Plan
from distxml.losses import JointLoss
from distxml.models.checkpoint import LoadedModel
from distxml.models.joint import JointOutput

FULL_BATCHES = 8
"""Images are perturbed together until their points fill this many batches: at most one of them is not full."""


@dataclass(frozen=True)
class _Clean:
    """One image before it is perturbed; tensors have a batch of 1."""

    batch: Batch
    heatmap: Tensor
    record: ImageRecord


class ImageScorer:
    """Scores rows of a dataset with a joint model, as a recipe and a plan say."""

    def __init__(self, loaded: LoadedModel, recipe: Recipe, plan: Plan, device: torch.device) -> None:
        self.model = loaded.model.to(device).eval().requires_grad_(False)
        self.image_size = loaded.card.image_size
        self.settings = recipe.evaluation
        self.seed = recipe.run.seed
        self.plan = plan
        self.device = device
        loss = recipe.loss
        self.loss = JointLoss(loss.kind, recipe.phases[2].alpha, loss.beta, loss.gamma)
        self.keep_heatmap = self.settings.heatmap_under_perturbation == "fixed"
        self.methods: dict[Method, HeatmapMethod] = {
            name: make_method(name, self.model, self.keep_heatmap) for name in self.settings.methods
        }

    def score(self, rows: Sequence[Row]) -> pa.Table:
        """One row an image with its curves nested (`image_record.SCORED_SCHEMA`).

        Raises:
            UserError: an image does not decode, or the model's output is not finite.
        """
        clean = [self._clean_pass(row) for row in rows]
        curves: dict[str, list[CurveRecord]] = {}
        chosen = [image for image in clean if image.record.key in self.plan.curve_keys]
        for group in self._groups(chosen):
            curves.update(self._curves(group))
        return to_table([(image.record, curves.get(image.record.key, [])) for image in clean])

    def _clean_pass(self, row: Row) -> _Clean:
        batch = collate([decode(row, self.image_size)]).to(self.device)
        with torch.inference_mode():
            output: JointOutput = self.model(batch.image)
            terms = self.loss.each(output.logits, output.heatmap, batch.label, batch.mask)
        for name, values in (("logits", output.logits), ("heatmap", output.heatmap)):
            if not values.isfinite().all():
                raise UserError(f"image {row.key}: the model's {name} are not finite; train the run again")
        return _Clean(batch, output.heatmap, describe(batch, output, terms))

    def _groups(self, images: list[_Clean]) -> Iterator[list[_Clean]]:
        size = -(-FULL_BATCHES * self.settings.batch_size // self.plan.points)
        for start in range(0, len(images), size):
            yield images[start : start + size]

    def _curves(self, group: list[_Clean]) -> dict[str, list[CurveRecord]]:
        """The curves of B images, by key; in the order of the plan, fills running fastest."""
        targets = [self._target(image.record) for image in group]
        orders = self._orders(group, targets)
        kept = torch.cat([image.heatmap for image in group])
        perturbation = self._perturbation(group, targets, orders)

        def logits(image: Tensor, source: Tensor) -> Tensor:
            return self.model(image, kept[source] if self.keep_heatmap else None).logits

        with torch.inference_mode():
            curves = morf_curves(perturbation, logits, self.settings.batch_size)
        return {
            image.record.key: self._records(index, targets[index], orders, curves) for index, image in enumerate(group)
        }

    def _target(self, record: ImageRecord) -> int:
        return record.predicted if self.settings.target == "predicted" else record.label

    def _orders(self, group: list[_Clean], targets: list[int]) -> list[PatchOrder]:
        """One for each of the plan's orders, over the B images."""
        keys = [image.record.key for image in group]
        heatmaps = {
            name: torch.cat([self._heatmap(name, image, target) for image, target in zip(group, targets, strict=True)])
            for name in self.methods
        }
        return [morf_order(heatmaps[order.method], order.patch_size, keys, self.seed) for order in self.plan.orders]

    def _heatmap(self, name: Method, image: _Clean, target: int) -> Tensor:
        heatmap = self.methods[name].heatmap(image.batch.image, torch.tensor([target], device=self.device))
        if not heatmap.isfinite().all():
            raise UserError(
                f"method {name}: its heatmap of image {image.record.key} is not finite; "
                f"leave the method out of evaluation.methods"
            )
        return heatmap

    def _perturbation(self, group: list[_Clean], targets: list[int], orders: list[PatchOrder]) -> Perturbation:
        image = torch.cat([one.batch.image for one in group])
        keys = [one.record.key for one in group]
        ranks = [
            rank_of_pixels(order, planned.patch_size, self.image_size)
            for order, planned in zip(orders, self.plan.orders, strict=True)
        ]
        return Perturbation(
            image=image,
            fills=make_fills(image, keys, self.plan.fills, self.settings.blur_sigma, self.seed),
            ranks=torch.stack(ranks).to(self.device),
            steps=[order.steps for order in self.plan.orders],
            target=torch.tensor(targets, device=self.device),
        )

    def _records(
        self, index: int, target: int, orders: list[PatchOrder], curves: list[np.ndarray]
    ) -> list[CurveRecord]:
        return [
            CurveRecord(
                target=target,
                method=planned.method,
                patch_size=planned.patch_size,
                fill=name,
                steps=planned.steps,
                f=f.tolist(),
                aopc=float(aopc(f)),
                tie_share=float(order.tie_share[index]),
            )
            for planned, order, curve in zip(self.plan.orders, orders, curves, strict=True)
            for name, f in zip(self.plan.fills, curve[index], strict=True)
        ]
