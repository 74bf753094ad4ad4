"""What is counted of an epoch, against loops."""

import json
import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from distxml.config.guard import GuardSettings
from distxml.data.batch import Batch
from distxml.losses import JointLoss
from distxml.models.joint import JointOutput
from distxml.training.metrics import (
    NOTHING_COUNTED,
    EpochMetrics,
    EpochSums,
    difference_to_next,
    pairs_that_count,
    share_above,
    share_below,
)

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
    metrics = EpochMetrics(JointLoss("unsupervised", 0.5, 0.9, 1.0), GUARD, torch.device("cpu"))
    metrics.update(JointOutput(torch.zeros(images, 2), heat), batch_of(weights))
    after = [(index, (index + 1) % images) for index in range(images)]
    pairs = [(one, two) for one, two in after if one != two and weights[one] and weights[two]]
    found = metrics.means(metrics.sums_over_ranks())
    assert pairs_that_count(torch.tensor(weights)).sum().item() == len(pairs)
    if pairs:
        expected = sum(apart(heat[one], heat[two]) for one, two in pairs) / len(pairs)
        assert found["difference"] == pytest.approx(expected, abs=1e-5)
    else:
        assert "difference" not in found


def random_batch(seed: int, weights: list[float]) -> tuple[JointOutput, Batch]:
    images, generator = len(weights), torch.Generator().manual_seed(seed)
    masks = (torch.rand(images, 1, 4, 6, generator=generator) > 0.5).float()
    labels = torch.randint(0, 2, (images,), generator=generator)
    annotated = torch.rand(images, generator=generator) > 0.4
    masks[~annotated] = 1  # as the loaders give them
    logits = torch.randn(images, 2, generator=generator)
    return JointOutput(logits, random_heat(images, seed)), replace(
        batch_of(weights), label=labels, mask=masks, has_mask=annotated
    )


def epoch_metrics(before: EpochSums = NOTHING_COUNTED) -> EpochMetrics:
    loss = JointLoss("hybrid", 0.3, 0.9, 2.0, class_weights=torch.tensor([0.5, 3.0]))
    return EpochMetrics(loss, GUARD, torch.device("cpu"), before)


@given(weights=st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=6).filter(any), seed=st.integers(0, 999))
def test_every_mean_is_that_of_its_name(weights: list[float], seed: int) -> None:
    output, batch = random_batch(seed, weights)
    metrics = epoch_metrics()
    metrics.update(output, batch)
    found = metrics.compute()
    counted = [index for index, weight in enumerate(weights) if weight]
    losses, class_weights, outside = 0.0, 0.0, []
    sums = dict.fromkeys(["sparsity", "contiguity", "accuracy", "black", "annotated"], 0.0)
    for index in counted:
        label = int(batch.label[index])
        probability = output.logits[index].softmax(0)
        class_weights += (0.5, 3.0)[label]
        losses += (0.5, 3.0)[label] * -math.log(probability[label])
        heat, mask = output.heatmap[index, 0], batch.mask[index, 0]
        pixels = heat.flatten().tolist()
        down = sum(abs(heat[y + 1, x] - heat[y, x]).item() for y in range(3) for x in range(6))
        right = sum(abs(heat[y, x + 1] - heat[y, x]).item() for y in range(4) for x in range(5))
        sums["sparsity"] += sum(pixels) / 24
        sums["contiguity"] += (down + right) / 24
        if batch.has_mask[index]:
            outside.append(((1 - mask) * heat).sum().item() / ((1 - mask).sum().item() + 1e-6))
        sums["annotated"] += bool(batch.has_mask[index])
        sums["accuracy"] += int(output.logits[index].argmax()) == label
        sums["black"] += sum(pixel < GUARD.black_below for pixel in pixels) / 24
    expected = {name: value / len(counted) for name, value in sums.items()}
    expected["classification"] = losses / class_weights
    expected["explanation"] = 0.9 * expected["sparsity"] + 0.1 * expected["contiguity"]
    expected["explanation"] += 2.0 * sum(outside) / len(counted)
    if outside:
        expected["weak"] = sum(outside) / len(outside)
    assert ("weak" in found) == bool(outside), "not 0 where nothing is known"
    printed = 2.0 * found["annotated"] * found.get("weak", 0.0)
    printed += 0.9 * found["sparsity"] + 0.1 * found["contiguity"]
    assert found["explanation"] == pytest.approx(printed, rel=1e-12), "the sum of its printed parts"
    expected["total"] = 0.3 * expected["classification"] + 0.7 * expected["explanation"]
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-5)


def test_heat_outside_the_masks_is_over_the_annotated_images() -> None:
    """Four images, one annotated, heat 0.6 everywhere: 0.6, not 0.15; the loss counts it once in four."""
    batch = replace(batch_of([1.0] * 4), has_mask=torch.tensor([False, True, False, False]))
    batch.mask[[0, 2, 3]] = 1
    metrics = EpochMetrics(JointLoss("hybrid", 0.0, 0.9, 1.0), GUARD, torch.device("cpu"))
    metrics.update(JointOutput(torch.zeros(4, 2), torch.full((4, 1, 4, 6), 0.6)), batch)
    found = metrics.compute()
    assert (found["weak"], found["annotated"]) == pytest.approx((0.6, 0.25), abs=1e-6)
    assert found["explanation"] == pytest.approx(0.9 * 0.6 + 0.25 * 0.6, abs=1e-6)


def test_counting_continues_from_sums_that_a_checkpoint_holds_by_name() -> None:
    whole = epoch_metrics()
    for seed in range(4):
        whole.update(*random_batch(seed, [1.0, 0.0, 1.0]))
    first = epoch_metrics()
    for seed in range(2):
        first.update(*random_batch(seed, [1.0, 0.0, 1.0]))
    saved = TypeAdapter(EpochSums).dump_json(first.sums_over_ranks())
    assert json.loads(saved)["images"] == 4.0
    second = epoch_metrics(TypeAdapter(EpochSums).validate_json(saved))
    for seed in range(2, 4):
        second.update(*random_batch(seed, [1.0, 0.0, 1.0]))
    assert second.sums_over_ranks() == whole.sums_over_ranks(), "to the last digit"
    since = second.sums_over_ranks() - first.sums_over_ranks()
    assert since.images == 4.0 and since - since == NOTHING_COUNTED
