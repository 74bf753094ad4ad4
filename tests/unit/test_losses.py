"""The loss terms against their oracle, on random and on extreme input."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from distxml.losses import JointLoss, contiguity, sparsity, weak
from tests.oracles import losses as oracle

EXTREMES = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0), (0.5, 0.0)]


def near(value: float):
    return pytest.approx(value, rel=1e-5, abs=1e-5)


def planes(seed: int, images: int, height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = np.random.default_rng(seed)
    heat = generator.random((images, 1, height, width)) * generator.integers(0, 2, (images, 1, height, width))
    mask = generator.integers(0, 2, (images, 1, height, width))
    return torch.from_numpy(heat).float(), torch.from_numpy(mask).float()


def as_loaded(mask: torch.Tensor, annotated: np.ndarray) -> torch.Tensor:
    """Masks as the loaders give them: all ones where an image is not annotated."""
    return torch.where(torch.from_numpy(annotated)[:, None, None, None], mask, torch.ones_like(mask))


sizes = st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9))


@given(st.integers(0, 2**32), sizes)
def test_terms_agree_with_the_oracle(seed, size):
    heat, mask = planes(seed, *size)
    for i, (h, z) in enumerate(zip(heat[:, 0].double().numpy(), mask[:, 0].double().numpy(), strict=True)):
        assert sparsity(heat)[i].item() == near(oracle.sparsity(h))
        assert contiguity(heat)[i].item() == near(oracle.contiguity(h))
        assert weak(heat, mask)[i].item() == near(oracle.weak(h, z))


@pytest.mark.parametrize(("heat", "mask"), EXTREMES)
def test_terms_agree_on_constant_planes(heat, mask):
    h, z = np.full((6, 5), heat), np.full((6, 5), mask)
    heat, mask = (torch.from_numpy(plane).float()[None, None] for plane in (h, z))
    assert sparsity(heat).item() == near(oracle.sparsity(h))
    assert contiguity(heat).item() == 0 == oracle.contiguity(h)
    assert weak(heat, mask).item() == near(oracle.weak(h, z))


@given(
    seed=st.integers(0, 2**32),
    size=sizes,
    kind=st.sampled_from(["unsupervised", "hybrid"]),
    weights=st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 10)),
    class_weights=st.sampled_from([None, (1.0, 1.0, 1.0), (0.2, 1.0, 3.0)]),
)
def test_joint_loss_agrees_with_the_oracle(seed, size, kind, weights, class_weights):
    alpha, beta, gamma = weights
    heat, mask = planes(seed, *size)
    generator = np.random.default_rng(seed + 1)
    logits = generator.normal(0, 3, (size[0], 3)).astype(np.float32)
    labels = generator.integers(0, 3, size[0]).tolist()
    loss = JointLoss(kind, alpha, beta, gamma, None if class_weights is None else torch.tensor(class_weights))
    annotated = generator.integers(0, 2, size[0]).astype(bool)
    has_mask, mask = torch.from_numpy(annotated), as_loaded(mask, annotated)
    weight = torch.ones(size[0])
    total = loss(torch.from_numpy(logits), heat, torch.tensor(labels), mask, has_mask=has_mask, weight=weight)
    pairs = list(zip(heat[:, 0].double().numpy(), mask[:, 0].double().numpy(), strict=True))
    gammas = [gamma if known else 0.0 for known in annotated]
    expl = sum(oracle.explanation(h, z, kind, beta, g) for (h, z), g in zip(pairs, gammas, strict=True)) / len(pairs)
    classification = oracle.weighted_cross_entropy(logits.astype(np.float64), labels, class_weights or (1.0,) * 3)
    assert total.item() == near(alpha * classification + (1 - alpha) * expl)


@given(st.integers(0, 2**32), sizes)
def test_each_gives_the_terms_of_every_image(seed, size):
    heat, mask = planes(seed, *size)
    logits = torch.from_numpy(np.random.default_rng(seed).normal(0, 3, (size[0], 2))).float()
    label = torch.zeros(size[0], dtype=torch.int64)
    annotated = np.arange(size[0]) % 2 == 0
    mask = as_loaded(mask, annotated)
    each = JointLoss("hybrid", 0.3, 0.9, 2.0).each(logits, heat, label, mask, torch.from_numpy(annotated))
    for i in range(size[0]):
        h, z = heat[i, 0].double().numpy(), mask[i, 0].double().numpy()
        assert each.classification[i].item() == near(oracle.cross_entropy(logits[i].double().numpy(), 0))
        assert each.explanation[i].item() == near(oracle.explanation(h, z, "hybrid", 0.9, 2.0 * annotated[i]))
        assert each.weak[i].item() == near(oracle.weak(h, z) * annotated[i])
        assert each.annotated[i].item() == annotated[i]


@given(st.integers(0, 2**32), sizes)
def test_padding_does_not_count(seed, size):
    heat, mask = planes(seed, *size)
    logits = torch.from_numpy(np.random.default_rng(seed).normal(0, 3, (size[0], 2))).float()
    label = torch.zeros(size[0], dtype=torch.int64)
    loss = JointLoss("hybrid", 0.3, 0.9, 2.0, torch.tensor([0.5, 2.0]))
    known = torch.ones(size[0], dtype=torch.bool)
    alone = loss(logits, heat, label, mask, has_mask=known, weight=torch.ones(size[0]))
    padded = loss(
        torch.cat([logits, logits + 1]),
        torch.cat([heat, 1 - heat]),
        torch.cat([label, label + 1]),
        torch.cat([mask, 1 - mask]),
        has_mask=torch.cat([known, known]),
        weight=torch.cat([torch.ones(size[0]), torch.zeros(size[0])]),
    )
    assert padded.item() == near(alone.item())
