"""What is counted of heatmaps, against loops."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from distxml.config.guard import GuardSettings
from distxml.data.batch import Batch
from distxml.losses import JointLoss
from distxml.models.joint import JointOutput
from distxml.training.metrics import Tally, difference_to_next, pairs_that_count, share_above, share_below

GUARD = GuardSettings()


def random_heat(images: int, seed: int) -> torch.Tensor:
    """Half of the pixels black, some white."""
    heat = torch.rand(images, 1, 4, 6, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return heat.clamp_min(0)


def apart(one: torch.Tensor, other: torch.Tensor) -> float:
    """The slow and obvious way."""
    pixels = list(zip(one.flatten().tolist(), other.flatten().tolist(), strict=True))
    total = sum(a + b for a, b in pixels)
    return sum(abs(a - b) for a, b in pixels) / total if total else 0.0


@given(images=st.integers(2, 5), seed=st.integers(0, 999))
def test_difference(images: int, seed: int) -> None:
    heat = random_heat(images, seed)
    expected = [apart(heat[index], heat[(index + 1) % images]) for index in range(images)]
    assert difference_to_next(heat).tolist() == pytest.approx(expected, abs=1e-5)


def test_the_same_everywhere_and_nothing_in_common() -> None:
    frame = torch.zeros(1, 1, 4, 4)
    frame[..., 0] = 1
    assert difference_to_next(frame.repeat(3, 1, 1, 1)).tolist() == [0, 0, 0]
    other = frame.flip(3)
    assert difference_to_next(torch.cat([frame, other])).tolist() == [1, 1]
    assert difference_to_next(torch.zeros(2, 1, 4, 4)).tolist() == [0, 0], "black ones are the same"


@given(seed=st.integers(0, 999))
def test_shares(seed: int) -> None:
    heat = random_heat(3, seed)
    for index, image in enumerate(heat):
        pixels = image.flatten().tolist()
        assert share_below(heat, 0.05)[index].item() == pytest.approx(sum(h < 0.05 for h in pixels) / 24)
        assert share_above(heat, 0.75)[index].item() == pytest.approx(sum(h > 0.75 for h in pixels) / 24)


def batch_of(weights: list[float]) -> Batch:
    images = len(weights)
    masks = torch.zeros(images, 1, 4, 6)
    return Batch(
        torch.zeros(images, 3, 4, 6),
        torch.zeros(images, dtype=torch.long),
        masks,
        torch.ones(images, dtype=torch.bool),
        tuple(map(str, range(images))),
        torch.tensor(weights),
    )


@given(weights=st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=6), seed=st.integers(0, 999))
def test_only_pairs_of_images_that_count_are_counted(weights: list[float], seed: int) -> None:
    images, heat = len(weights), random_heat(len(weights), seed)
    tally = Tally(JointLoss("unsupervised", 0.5, 0.9, 1.0), GUARD, torch.device("cpu"))
    tally.add(JointOutput(torch.zeros(images, 2), heat), batch_of(weights))
    after = [(index, (index + 1) % images) for index in range(images)]
    pairs = [(one, two) for one, two in after if one != two and weights[one] and weights[two]]
    found = tally.means(tally.sums_over_ranks())
    assert pairs_that_count(torch.tensor(weights)).sum().item() == len(pairs)
    if pairs:
        expected = sum(apart(heat[one], heat[two]) for one, two in pairs) / len(pairs)
        assert found["difference"] == pytest.approx(expected, abs=1e-5)
    else:
        assert "difference" not in found
