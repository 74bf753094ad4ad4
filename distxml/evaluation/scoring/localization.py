"""How one image's heatmap agrees with its mask: POMPOM, also of equal area, the share of the heat that is inside, the
pointing game."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from distxml.losses import EPSILON

PLANE = (1, 2, 3)
"""Axes of an image's pixels in B×1×H×W."""


@dataclass(frozen=True)
class Pompom:
    """B float64 each; lower is better.

    Attributes:
        of_outside: share of the pixels outside the mask; 0 where the mask covers everything.
        of_all_pixels: the same pixels as a share of the whole image.
    """

    of_outside: Tensor
    of_all_pixels: Tensor


def pompom(heatmap: Tensor, mask: Tensor) -> Pompom:
    """#[(1−z)ẑ > ε] over #[(1−z) > ε] + ε, and over all pixels.

    Args:
        heatmap: B×1×H×W in [0, 1].
        mask: B×1×H×W, 1 inside. The result has a meaning only where an image was annotated.
    """
    outside = 1 - mask
    hot = (outside * heatmap > EPSILON).sum((1, 2, 3)).double()
    there = (outside > EPSILON).sum((1, 2, 3)).double()
    return Pompom(hot / (there + EPSILON), hot / mask[0].numel())


def pompom_equal_area(heatmap: Tensor, mask: Tensor) -> Tensor:
    """#[outside the mask and among the |z| hottest pixels] over #[outside the mask], |z| being the mask's pixels.

    Only the order of the pixels counts. So it is fair between heatmaps whose POMPOM is decided by their kind: 0 nearly
    everywhere by their making (after a ReLU, or edges), signed, or smooth. Where pixels tie for the last places, it is
    the expected value over their random order: a heatmap that is the same everywhere scores the mask's share of the
    image.

    Args:
        heatmap: B×1×H×W, of either sign.
        mask: B×1×H×W, 1 inside and 0 outside.

    Returns:
        B float64, NaN where the mask covers everything; without a meaning where it is empty.
    """
    heat, inside = heatmap.double().flatten(1), mask.double().flatten(1)  # B×HW
    area = inside.sum(1, keepdim=True)
    least = heat.sort(1, descending=True).values.gather(1, (area.long() - 1).clamp_min(0))  # B×1, the |z|-th hottest
    hotter, tied = (heat > least).double(), (heat == least).double()
    chance = hotter + tied * (area - hotter.sum(1, keepdim=True)) / tied.sum(1, keepdim=True)  # to be among them
    return (chance * (1 - inside)).sum(1) / (1 - inside).sum(1)


@dataclass(frozen=True)
class Localization:
    """One image's figures, columns of `HEATMAPS_SCHEMA`; all None where it was not annotated.

    Attributes:
        pompom: share of the pixels outside the mask that have heat; lower is better.
        pompom_all_pixels: the same pixels as a share of the image.
        pompom_equal_area: share of the pixels outside the mask that are among the hottest, see `pompom_equal_area`;
            lower is better; None where the mask is empty or covers everything.
        energy_inside: Σ ẑ·z / Σ ẑ; higher is better; None where the mask is empty or there is no heat.
        pointing: share of the hottest pixels that lie inside the mask; higher is better; None where it is empty.
    """

    pompom: float | None
    pompom_all_pixels: float | None
    pompom_equal_area: float | None
    energy_inside: float | None
    pointing: float | None


NOTHING = Localization(None, None, None, None, None)


def localize(heatmap: Tensor, mask: Tensor, has_mask: Tensor, scale: bool) -> list[Localization]:
    """The figures of B images, in float64.

    POMPOM counts the pixels above an absolute ε, which the scale of a heatmap decides. Post-hoc heatmaps have a scale
    of their own for each image and are divided by their maximum first (`scale`). The in-model heatmap lies in [0, 1]
    by its making and must not be scaled: its POMPOM is then the paper's, and that of `IMAGES_SCHEMA`. The other
    figures do not depend on the scale. All but the POMPOM of equal area, which looks at the order of the pixels alone,
    are of the positive part of a heatmap: what speaks against the target is no heat.

    Sources: energy, Wang et al., "Score-CAM: score-weighted visual explanations for convolutional neural networks",
    CVPR workshops 2020; pointing, Zhang et al., "Top-down neural attention by excitation backprop", ECCV 2016, but
    without its margin of 15 pixels, and as the expected hit where several pixels reach the maximum and one of them is
    drawn: a heatmap that is the same everywhere scores the mask's share of the image.

    Args:
        heatmap: B×1×H×W, finite.
        mask: B×1×H×W, 1 inside and 0 outside.
        has_mask: B, whether the image was annotated.
        scale: whether POMPOM is of the heatmap divided by its maximum.

    Raises:
        ValueError: a heatmap is not finite.
    """
    if not heatmap.isfinite().all():
        raise ValueError("a heatmap is not finite")
    equal_area = pompom_equal_area(heatmap, mask)
    heatmap = heatmap.clamp_min(0)
    outliers = pompom(_scaled(heatmap) if scale else heatmap, mask)
    heat, inside = heatmap.double(), mask.double()
    hottest = (heat == heat.amax(PLANE, keepdim=True)).double()
    columns = (
        outliers.of_outside,
        outliers.of_all_pixels,
        equal_area,
        (heat * inside).sum(PLANE) / heat.sum(PLANE),  # 0/0 where there is no heat
        (hottest * inside).sum(PLANE) / hottest.sum(PLANE),
        inside.sum(PLANE),
    )
    rows: list[list[float]] = torch.stack(columns, dim=1).tolist()
    return [_of_image(row) if annotated else NOTHING for row, annotated in zip(rows, has_mask.tolist(), strict=True)]


def _scaled(heatmap: Tensor) -> Tensor:
    """Divided by its maximum; without heat it stays 0."""
    heat = heatmap.double()
    maximum = heat.amax(PLANE, keepdim=True)
    return torch.where(maximum > 0, heat / maximum, heat)


def _of_image(row: list[float]) -> Localization:
    of_outside, of_all_pixels, equal_area, energy, pointing, area = row
    if area == 0:
        return Localization(of_outside, of_all_pixels, None, None, None)
    return Localization(of_outside, of_all_pixels, _known(equal_area), _known(energy), pointing)


def _known(value: float) -> float | None:
    """None for the NaN of a division by 0."""
    return None if math.isnan(value) else value
