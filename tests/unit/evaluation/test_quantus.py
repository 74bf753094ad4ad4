"""Curves against an independent library: Quantus' RegionPerturbation, where its definitions are ours.

They are for heatmaps without ties, patches that divide the image, and images whose smallest value is 0 and whose
largest is 1 (its "black" and "white"). It leaves x(0) out and gives the drop f(x(0)) − f(x(k)).
"""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from distxml.config.evaluation import EvaluationSettings, Order
from distxml.evaluation.perturbation.curves import Perturbation, perturbation_curves
from distxml.evaluation.perturbation.fill_images import make_fills
from distxml.evaluation.perturbation.patches import patch_count, patch_order, rank_of_pixels
from tests.unit.evaluation.small_model import SIZE, small_explained

quantus = pytest.importorskip("quantus", reason="install it with `pip install --no-deps quantus`; `make test` does")

IMAGES, STEPS = 2, 10
KEYS = [str(number) for number in range(IMAGES)]
ORDERS: tuple[Order, ...] = ("morf", "lerf")
FILLS = ("black", "white")


class Whole(nn.Module):
    """A model of the images alone, as Quantus wants it; it scores all images at once, in their order."""

    def __init__(self, logits: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, image: Tensor) -> Tensor:
        return self.logits(image, torch.arange(len(image)))


def images() -> Tensor:
    image = torch.rand(IMAGES, 3, *SIZE, generator=torch.Generator().manual_seed(1))
    image[:, :, 0, 0], image[:, :, -1, -1] = 0, 1
    return image


@pytest.mark.parametrize("f", ["recompute", "fixed", "classifier_phase"])
@pytest.mark.parametrize("side", [4, 8])
@pytest.mark.parametrize("steps", [STEPS, 1000])
def test_curves_are_those_of_quantus(f, side, steps):
    explained, image = small_explained(f), images()
    kept = explained.heatmap(image)
    heat = torch.rand(IMAGES, 1, *SIZE, generator=torch.Generator().manual_seed(2))
    target = torch.tensor([0, 1])

    @torch.no_grad()
    def logits(perturbed: Tensor, source: Tensor) -> Tensor:
        gate = {"recompute": None, "fixed": kept[source], "classifier_phase": "white"}[f]
        return explained.logits(perturbed, gate)

    patches = patch_count(SIZE, side)
    ranks = [rank_of_pixels(patch_order(heat, side, KEYS, 0, order), side, SIZE) for order in ORDERS]
    ours = perturbation_curves(
        Perturbation(
            image=image,
            fills=make_fills(image, KEYS, FILLS, EvaluationSettings().blur_sigma, 0),
            ranks=torch.stack(ranks),
            counts=[tuple(range(min(steps, patches) + 1))] * 2,
            complete=[steps >= patches] * 2,
            target=target,
        ),
        logits,
        batch_size=7,
    )
    for order, curves in zip(ORDERS, ours, strict=True):
        for fill in range(len(FILLS)):
            drops = quantus.RegionPerturbation(
                patch_size=side,
                order=order,
                regions_evaluation=steps,
                perturb_baseline=FILLS[fill],
                normalise=False,
                disable_warnings=True,
            )(
                model=Whole(logits).eval(),
                x_batch=image.numpy(),
                y_batch=target.numpy(),
                a_batch=heat.numpy(),
                device="cpu",
                softmax=True,
                batch_size=IMAGES,
            )
            found = curves[:, fill, :1] - curves[:, fill, 1:]
            assert np.abs(found).max() > 0.01
            assert found == pytest.approx(np.array(drops), abs=1e-5), (order, FILLS[fill])
