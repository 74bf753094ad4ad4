"""Scores images with one f: their clean pass, heatmaps, patch orders and curves. Knows nothing of Ray.

The clean pass (the unperturbed image) and the heatmaps are computed one image at a time. So they, and the order of the
patches, are the same to the bit whatever the batch size is; only f(x(k)) is computed in full batches.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from distxml.attribution.explained_model import ExplainedModel, GateInput
from distxml.attribution.methods import HeatmapMethod, make_method
from distxml.config.evaluation import Gating, Method
from distxml.data.batch import Batch
from distxml.data.rows import Row, collate, decode
from distxml.errors import UserError
from distxml.evaluation.perturbation.areas import aopc_by_steps
from distxml.evaluation.perturbation.curves import Perturbation, Values, perturbation_curves
from distxml.evaluation.perturbation.fill_images import make_fills
from distxml.evaluation.perturbation.patches import PatchOrder, patch_order, rank_of_pixels, replaced_shares
from distxml.evaluation.scoring.localization import localize
from distxml.evaluation.scoring.plan import PlannedCurve, ScoringSpec, points
from distxml.evaluation.scoring.records import CurveRecord, ImageRecord, MethodRecord, describe
from distxml.losses import JointLoss

FULL_BATCHES = 8
"""Images are perturbed together until their points fill this many batches, of which only the last may be smaller."""

PIXELS_PER_PASS: dict[Gating, int] = {"recompute": 2**17, "fixed": 2**19, "white": 2**19}
"""Most pixels in one forward pass on a CPU: more do not fit into its caches and take up to twice as long
(docs/speed.md)."""

ROUNDING = 1e-4
"""f(x(0)) is computed in the clean pass and again with the curves. The two differ by rounding: by at most this share of
the largest logit."""


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
    """Scores unperturbed images, one at a time, so that the result does not depend on the batch size."""

    def __init__(self, explained: ExplainedModel, spec: ScoringSpec, device: torch.device) -> None:
        self.explained, self.spec, self.device = explained, spec, device
        recipe = spec.recipe
        self.loss = JointLoss(recipe.loss.kind, recipe.phases.joint.alpha, recipe.loss.beta, recipe.loss.gamma)

    def score(self, row: Row) -> CleanImage:
        """The image of a row, with its logits and its in-model heatmap.

        Raises:
            UserError: it does not decode, or the model's output is not finite.
        """
        batch = collate([decode(row, self.spec.image_size)]).to(self.device)
        with torch.no_grad():
            heatmap = self.explained.heatmap(batch.image)
            logits = self.explained.logits(batch.image, self.explained.gate_of_clean(heatmap))
            terms = self.loss.each(logits, heatmap, batch.label, batch.mask, batch.has_mask)
        for name, values in (("logits", logits), ("heatmap", heatmap)):
            if not values.isfinite().all():
                raise UserError(f"image {row.key}: the model's {name} are not finite; train the run again")
        record = describe(batch, row.group, logits, heatmap, terms)
        return CleanImage(batch, logits, heatmap, record, self._target(record))

    def _target(self, record: ImageRecord) -> int:
        if self.spec.target_class is not None:
            return self.spec.target_class
        return record.label if self.spec.recipe.evaluation.target == "label" else record.predicted


@dataclass(frozen=True)
class _ImageGroup:
    """B images whose curves share batches.

    Attributes:
        images: B.
        heatmaps: of each method, B×1×H×W.
        planned: O curves, those of a method one after the other.
        orders: O, each over the B images.
        shares: O of B×points, how much of each image is replaced.
    """

    images: list[CleanImage]
    heatmaps: dict[Method, Tensor]
    planned: tuple[PlannedCurve, ...]
    orders: list[PatchOrder]
    shares: list[Values]


class ImageScorer:
    """Scores rows of a dataset with f, as its spec says.

    Attributes:
        batch_size: images per forward pass: the setting's, fewer on a CPU where images are large.
    """

    def __init__(self, explained: ExplainedModel, spec: ScoringSpec, device: torch.device) -> None:
        for model in (explained.model, explained.explainer):
            model.to(device).eval().requires_grad_(False)
            if spec.recipe.compute.channels_last:
                model.to(memory_format=torch.channels_last)
        self.explained, self.plan, self.image_size, self.device = explained, spec.plan, spec.image_size, device
        self.settings, self.seed = spec.recipe.evaluation, spec.recipe.run.seed
        self.batch_size = self.settings.batch_size
        if device.type == "cpu":
            height, width = spec.image_size
            self.batch_size = min(self.batch_size, max(1, PIXELS_PER_PASS[explained.gating] // (height * width)))
        self.clean_pass = CleanPass(explained, spec, device)
        self.methods: dict[Method, HeatmapMethod] = {
            name: make_method(name, explained, self.settings, self.seed) for name in spec.plan.methods
        }

    def describe(self, rows: Sequence[Row]) -> list[ImageRecord]:
        """The clean pass of some images.

        Raises:
            UserError: an image does not decode, or the model's output is not finite.
        """
        return [self.clean_pass.score(row).record for row in rows]

    def score(self, rows: Sequence[Row], methods: Sequence[Method]) -> list[MethodRecord]:
        """Heatmaps and curves of these methods on these images, image by image, methods in the order of the plan.

        Raises:
            UserError: see `describe`; or a heatmap, or f of a perturbed image, is not finite.
        """
        planned = tuple(curve for curve in self.plan.curves if curve.method in methods)
        records: list[MethodRecord] = []
        for chunk in self._chunks(rows, planned):
            group = self._prepare([self.clean_pass.score(row) for row in chunk], planned)
            records += self._records(group, self._curves(group))
        return records

    def _chunks(self, rows: Sequence[Row], planned: tuple[PlannedCurve, ...]) -> Iterator[Sequence[Row]]:
        size = -(-FULL_BATCHES * self.batch_size // points(planned, len(self.plan.fills)))
        for start in range(0, len(rows), size):
            yield rows[start : start + size]

    def _prepare(self, images: list[CleanImage], planned: tuple[PlannedCurve, ...]) -> _ImageGroup:
        methods: list[Method] = list(dict.fromkeys(curve.method for curve in planned))
        heatmaps: dict[Method, Tensor] = {
            name: torch.cat([self._heatmap(name, image) for image in images]) for name in methods
        }
        keys = [image.key for image in images]
        orders = [
            patch_order(heatmaps[curve.method], curve.patch_size, keys, self.seed, curve.order) for curve in planned
        ]
        shares = [
            replaced_shares(order, curve.patch_size, self.image_size, curve.counts)
            for curve, order in zip(planned, orders, strict=True)
        ]
        return _ImageGroup(images, heatmaps, planned, orders, shares)

    def _heatmap(self, name: Method, image: CleanImage) -> Tensor:
        """1×1×H×W."""
        target = torch.tensor([image.target], device=self.device)
        heatmap = self.methods[name].heatmap(image.batch.image, target)
        if not heatmap.isfinite().all():
            raise UserError(
                f"method {name}: its heatmap of image {image.key} is not finite; "
                f"leave the method out of evaluation.methods"
            )
        return heatmap

    @torch.inference_mode()
    def _curves(self, group: _ImageGroup) -> list[Values]:
        """An array B×F×points for each planned curve."""
        gating = self.explained.gating
        kept = torch.cat([image.heatmap for image in group.images])  # B×1×H×W

        def logits(image: Tensor, source: Tensor) -> Tensor:
            anew: GateInput = None if gating == "recompute" else "white"
            return self.explained.logits(image, kept[source] if gating == "fixed" else anew)

        curves = perturbation_curves(self._perturbation(group), logits, self.batch_size, self.settings.output)
        self._check_start(group.images, curves[0][:, 0, 0])
        self._check_finite(group, curves)
        return curves

    def _perturbation(self, group: _ImageGroup) -> Perturbation:
        image = torch.cat([one.batch.image for one in group.images])
        keys = [one.key for one in group.images]
        ranks = [
            rank_of_pixels(order, curve.patch_size, self.image_size)
            for order, curve in zip(group.orders, group.planned, strict=True)
        ]
        return Perturbation(
            image=image,
            fills=make_fills(image, keys, self.plan.fills, self.settings.blur_sigma, self.seed),
            ranks=torch.stack(ranks).to(self.device),
            counts=[curve.counts for curve in group.planned],
            complete=[curve.is_complete for curve in group.planned],
            target=torch.tensor([one.target for one in group.images], device=self.device),
        )

    def _check_start(self, images: list[CleanImage], start: Values) -> None:
        """Whether the curves start at the clean pass's f(x(0)).

        Raises:
            RuntimeError: they do not: the two were not scored by the same f.
        """
        for image, found in zip(images, start, strict=True):
            scores = image.logits[0].double()
            expected = float((scores.softmax(0) if self.settings.output == "probability" else scores)[image.target])
            if not abs(found - expected) <= ROUNDING * max(1.0, float(scores.abs().max())):  # nor may it be NaN
                raise RuntimeError(f"image {image.key}: f(x(0)) is {found} on its curves, but {expected} before")

    def _check_finite(self, group: _ImageGroup, curves: list[Values]) -> None:
        for planned, values in zip(group.planned, curves, strict=True):
            for image, f in zip(group.images, values, strict=True):
                if not np.isfinite(f).all():
                    raise UserError(
                        f"image {image.key}: the model's output is not finite when patches of {planned.patch_size} "
                        f"pixels are replaced ({planned.method}); train the run again"
                    )

    def _records(self, group: _ImageGroup, curves: list[Values]) -> list[MethodRecord]:
        return [
            self._record(index, name, group, curves) for index in range(len(group.images)) for name in group.heatmaps
        ]

    def _record(self, index: int, name: Method, group: _ImageGroup, curves: list[Values]) -> MethodRecord:
        image, heatmap = group.images[index], group.heatmaps[name][index : index + 1]
        place = localize(heatmap, image.batch.mask, image.batch.has_mask, scale=name != "in_model")[0]
        return MethodRecord(
            key=image.key,
            group=image.record.group,
            label=image.record.label,
            target=image.target,
            method=name,
            pompom=place.pompom,
            pompom_all_pixels=place.pompom_all_pixels,
            pompom_equal_area=place.pompom_equal_area,
            energy_inside=place.energy_inside,
            pointing=place.pointing,
            curves=[*self._curve_records(index, name, group, curves)],
        )

    def _curve_records(
        self, index: int, name: Method, group: _ImageGroup, curves: list[Values]
    ) -> Iterator[CurveRecord]:
        """Of a method on one image: its planned curves, at every fill."""
        limit = self.settings.share_limit
        for planned, order, shares, values in zip(group.planned, group.orders, group.shares, curves, strict=True):
            for fill, f in zip(self.plan.fills, values[index], strict=True):
                if planned.method == name:
                    yield CurveRecord(
                        patch_size=planned.patch_size,
                        fill=fill,
                        order=planned.order,
                        steps=planned.steps,
                        share=shares[index].tolist(),
                        f=f.tolist(),
                        aopc=float(aopc_by_steps(f, shares[index], limit)[-1]),
                        tie_share=float(order.tie_share[index]),
                    )
