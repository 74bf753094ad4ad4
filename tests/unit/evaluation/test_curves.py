"""Perturbation curves against the oracle, and a planted model whose curve is known."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from distxml.evaluation.aopc import aopc, aopc_by_steps
from distxml.evaluation.curves import Perturbation, morf_curves
from distxml.evaluation.fills import make_fills
from distxml.evaluation.patches import morf_order, rank_of_pixels
from tests.oracles import patches as patch_oracle
from tests.oracles import perturbation as oracle

KEYS = ("a", "b", "c")


def linear_logits(image: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
    """Two classes; every pixel and channel has a weight of its own."""
    weights = torch.sin(torch.arange(image[0].numel(), dtype=image.dtype))
    score = (image.flatten(1) * weights).sum(1)
    return torch.stack([score, -score], 1)


def perturbation(heat: torch.Tensor, image: torch.Tensor, side: int, steps: int, fills=("black", "uniform")):
    order = morf_order(heat, side, KEYS, 0)
    return Perturbation(
        image=image,
        fills=make_fills(image, KEYS, fills, 0.05, 0),
        ranks=rank_of_pixels(order, side, (image.shape[2], image.shape[3])).unsqueeze(0),
        steps=[min(steps, order.patches)],
        target=torch.tensor([0, 1, 0]),
    )


def random_images(seed: int, height: int, width: int, levels: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = np.random.default_rng(seed)
    heat = generator.integers(0, levels, (3, 1, height, width)) / levels
    return torch.from_numpy(generator.random((3, 3, height, width))).float(), torch.from_numpy(heat).float()


@given(
    seed=st.integers(0, 2**32),
    size=st.tuples(st.integers(2, 9), st.integers(2, 9)),
    side=st.integers(1, 5),
    steps=st.integers(1, 12),
    batch_size=st.integers(1, 30),
    levels=st.sampled_from([1, 2, 5, 1000]),
)
def test_curves_and_aopc_agree_with_the_oracle(*, seed, size, side, steps, batch_size, levels):
    image, heat = random_images(seed, size[0], size[1], levels)
    given_ = perturbation(heat, image, side, steps)
    found = morf_curves(given_, linear_logits, batch_size)[0]
    orders = morf_order(heat, side, KEYS, 0).ranks
    for fill in range(2):
        expected = []
        for i in range(3):
            order = np.argsort(orders[i].ravel()).tolist()
            pictures = oracle.steps_of(
                image[i].double().numpy(), given_.fills[fill, i].double().numpy(), order, side, steps
            )
            logits = linear_logits(torch.from_numpy(np.stack(pictures)), torch.zeros(1))
            expected.append(logits.softmax(1)[:, int(given_.target[i])].tolist())
        assert found[:, fill] == pytest.approx(np.array(expected), abs=1e-5)
        assert aopc(found[:, fill]).mean() == pytest.approx(oracle.aopc(expected), abs=1e-5)


def test_a_planted_patch_gives_the_known_curve():
    """Class 1 is certain while any pixel of patch (1, 2) is not black, else a coin's throw."""

    def logits(image: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
        there = image[:, :, 4:8, 8:12].amax((1, 2, 3)) > 0
        return torch.stack([torch.zeros(len(image)), torch.where(there, 50.0, 0.0)], 1)

    image = torch.ones(3, 3, 12, 12)
    heat = torch.zeros(3, 1, 12, 12)
    heat[0, 0, 4:8, 8:12] = 1  # finds it at once
    heat[1, 0, 4:8, 4:8] = 1  # points beside it
    heat[1, 0, 4:8, 8:12] = 0.5
    heat[2] = 1
    heat[2, 0, 4:8, 8:12] = 0  # finds it last
    given_ = perturbation(heat, image, 4, 100, fills=("black",))
    given_.target[:] = 1
    curves = morf_curves(given_, logits, 4)[0][:, 0]
    assert curves.shape == (3, 10)  # nine patches, however many steps were asked for
    assert curves[0] == pytest.approx([1] + [0.5] * 9)
    assert curves[1] == pytest.approx([1, 1] + [0.5] * 8)
    assert curves[2] == pytest.approx([1] * 9 + [0.5])
    assert aopc(curves) == pytest.approx([0.45, 0.4, 0.05])


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_empty_and_a_full_heatmap_are_legal(value):
    image, _ = random_images(0, 6, 6, 2)
    curves = morf_curves(perturbation(torch.full((3, 1, 6, 6), value), image, 4, 9), linear_logits, 5)[0]
    assert curves.shape == (3, 2, 5)
    assert np.isfinite(curves).all()
    assert (curves[:, 0, 0] == curves[:, 1, 0]).all()


def test_the_unperturbed_image_is_scored_once_and_batches_are_full():
    sizes: list[int] = []

    def logits(image: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
        sizes.append(len(image))
        return linear_logits(image, source)

    image, heat = random_images(0, 8, 8, 9)
    morf_curves(perturbation(heat, image, 4, 3), logits, 5)
    assert sum(sizes) == 3 * (1 + 2 * 3)
    assert set(sizes[:-1]) == {5}


def test_logits_are_told_which_image_each_point_comes_from():
    image, heat = random_images(0, 8, 8, 9)

    def logits(perturbed: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
        assert ((perturbed == image[source]) | (perturbed == 0)).all()
        return linear_logits(perturbed, source)

    assert morf_curves(perturbation(heat, image, 4, 3, fills=("black",)), logits, 7)[0].shape == (3, 1, 4)


def test_aopc_at_every_number_of_steps():
    curves = np.array([[1.0, 0.5, 0.0], [0.8, 0.8, 0.2]])
    assert aopc_by_steps(curves) == pytest.approx(np.array([[0, 0.25, 0.5], [0, 0, 0.2]]))
    for steps in range(3):
        assert aopc(curves[:, : steps + 1]).mean() == pytest.approx(oracle.aopc(curves[:, : steps + 1].tolist()))


def test_the_oracle_knows_its_patches():
    assert [len(patch) for patch in patch_oracle.patches(5, 4, 3)] == [9, 3, 6, 2]
