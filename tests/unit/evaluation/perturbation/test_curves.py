"""Perturbation curves against the oracle, and a planted model whose curves are known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from distxml.evaluation.perturbation.areas import aopc_over_patches
from distxml.evaluation.perturbation.curves import Perturbation, perturbation_curves
from distxml.evaluation.perturbation.fill_images import make_fills
from distxml.evaluation.perturbation.patches import patch_count, patch_order, rank_of_pixels
from tests.oracles import patches as patch_oracle
from tests.oracles import perturbation as oracle

KEYS = ("a", "b", "c")
ORDERS = ("morf", "lerf")


def linear_logits(image: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
    """Two classes; every pixel and channel has a weight of its own."""
    weights = torch.sin(torch.arange(image[0].numel(), dtype=image.dtype))
    score = (image.flatten(1) * weights).sum(1)
    return torch.stack([score, -score], 1)


def perturbation(heat: torch.Tensor, image: torch.Tensor, side: int, steps: int, fills=("black", "uniform")):
    """A curve in each order."""
    size = (image.shape[2], image.shape[3])
    ranks = [rank_of_pixels(patch_order(heat, side, KEYS, 0, order), side, size) for order in ORDERS]
    patches = patch_count(size, side)
    return Perturbation(
        image=image,
        fills=make_fills(image, KEYS, fills, 0.05, 0),
        ranks=torch.stack(ranks),
        counts=[tuple(range(min(steps, patches) + 1))] * 2,
        complete=[steps >= patches] * 2,
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
    output=st.sampled_from(["probability", "logit"]),
)
def test_curves_and_aopc_agree_with_the_oracle(*, seed, size, side, steps, batch_size, levels, output):
    image, heat = random_images(seed, size[0], size[1], levels)
    given_ = perturbation(heat, image, side, steps)
    found = perturbation_curves(given_, linear_logits, batch_size, output)
    for direction, curves in zip(ORDERS, found, strict=True):
        orders = patch_order(heat, side, KEYS, 0, direction).ranks
        for fill in range(2):
            expected = []
            for i in range(3):
                order = np.argsort(orders[i].ravel()).tolist()
                pictures = oracle.steps_of(
                    image[i].double().numpy(), given_.fills[fill, i].double().numpy(), order, side, steps
                )
                logits = linear_logits(torch.from_numpy(np.stack(pictures)), torch.zeros(1)).tolist()
                expected.append([oracle.followed(row, int(given_.target[i]), output) for row in logits])
            assert curves[:, fill] == pytest.approx(np.array(expected), abs=2e-5)
            assert aopc_over_patches(curves[:, fill])[:, -1].mean() == pytest.approx(oracle.aopc(expected), abs=2e-5)


@given(
    seed=st.integers(0, 2**32),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    side=st.integers(1, 9),
    batch_size=st.integers(1, 30),
)
def test_a_complete_curve_ends_with_the_fill_whatever_the_order(*, seed, size, side, batch_size):
    image, heat = random_images(seed, size[0], size[1], 5)
    given_ = perturbation(heat, image, side, steps=1000)
    morf, lerf = perturbation_curves(given_, linear_logits, batch_size)
    assert morf.shape == lerf.shape == (3, 2, patch_count(size, side) + 1)
    assert (morf[:, :, -1] == lerf[:, :, -1]).all() and (morf[:, :, 0] == lerf[:, :, 0]).all()
    for fill in range(2):
        replaced = linear_logits(given_.fills[fill].double(), torch.zeros(1)).softmax(1)
        expected = replaced.gather(1, given_.target[:, None])[:, 0].numpy()
        assert morf[:, fill, -1] == pytest.approx(expected, abs=2e-5)


def planted(image: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
    """Class 1 is certain while any pixel of patch (1, 2) is not black, else a coin's throw."""
    there = image[:, :, 4:8, 8:12].amax((1, 2, 3)) > 0
    return torch.stack([torch.zeros(len(image)), torch.where(there, 50.0, 0.0)], 1)


def test_a_planted_patch_gives_the_known_curve_in_both_orders():
    image = torch.ones(3, 3, 12, 12)
    heat = torch.zeros(3, 1, 12, 12)
    heat[0, 0, 4:8, 8:12] = 1  # finds it at once
    heat[1, 0, 4:8, 4:8] = 1  # points beside it
    heat[1, 0, 4:8, 8:12] = 0.5
    heat[2] = 1
    heat[2, 0, 4:8, 8:12] = 0  # finds it last
    for steps in (100, 9):  # nine patches, however many steps were asked for
        given_ = perturbation(heat, image, 4, steps, fills=("black",))
        given_.target[:] = 1
        morf, lerf = (curves[:, 0] for curves in perturbation_curves(given_, planted, 4))
        assert morf.shape == lerf.shape == (3, 10)
        assert morf[0] == pytest.approx([1] + [0.5] * 9)
        assert morf[1] == pytest.approx([1, 1] + [0.5] * 8)
        assert morf[2] == pytest.approx([1] * 9 + [0.5])
        assert aopc_over_patches(morf)[:, -1] == pytest.approx([0.45, 0.4, 0.05])
        assert lerf[0] == pytest.approx([1] * 9 + [0.5])
        assert lerf[1] == pytest.approx([1] * 8 + [0.5] * 2)
        assert lerf[2] == pytest.approx([1] + [0.5] * 9)
        logits = perturbation_curves(given_, planted, 4, "logit")[0][:, 0]
        assert logits[0] == pytest.approx([50] + [0] * 9)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_empty_and_a_full_heatmap_are_legal(value):
    image, _ = random_images(0, 6, 6, 2)
    given_ = perturbation(torch.full((3, 1, 6, 6), value), image, 4, 9)
    morf, lerf = perturbation_curves(given_, linear_logits, 5)
    assert morf.shape == (3, 2, 5)
    assert np.isfinite(morf).all()
    assert (morf[:, 0, 0] == morf[:, 1, 0]).all()
    assert morf == pytest.approx(lerf, abs=1e-6), "all patches tie: they come in the same random order"


@pytest.mark.parametrize(("steps", "each"), [(3, 1 + 2 * 2 * 3), (4, 1 + 2 * 1 + 2 * 2 * 3)])
def test_what_curves_share_is_scored_once_and_batches_are_full(steps: int, each: int):
    """x(0) is scored once per image; where curves are complete (4 patches), the end once per fill."""
    sizes: list[int] = []

    def logits(image: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
        sizes.append(len(image))
        return linear_logits(image, source)

    image, heat = random_images(0, 8, 8, 9)
    perturbation_curves(perturbation(heat, image, 4, steps), logits, 5)
    assert sum(sizes) == 3 * each
    assert set(sizes[:-1]) == {5}


def test_curves_of_several_lengths_some_complete():
    image, heat = random_images(1, 8, 8, 99)
    long, short = perturbation(heat, image, 2, 7), perturbation(heat, image, 4, 4)
    both = Perturbation(
        image=image,
        fills=long.fills,
        ranks=torch.cat([long.ranks, short.ranks]),
        counts=long.counts + short.counts,
        complete=long.complete + short.complete,
        target=long.target,
    )
    assert both.complete == [False, False, True, True]
    alone = perturbation_curves(long, linear_logits, 3) + perturbation_curves(short, linear_logits, 64)
    for found, expected in zip(perturbation_curves(both, linear_logits, 10), alone, strict=True):
        assert found == pytest.approx(expected, abs=1e-6)


def test_a_curve_may_skip_patches():
    image, heat = random_images(1, 8, 8, 99)
    every = perturbation(heat, image, 2, 100)
    some = replace(every, counts=[(0, 5, 11, 16), (0, 4)], complete=[True, False])
    whole, found = (perturbation_curves(one, linear_logits, 7) for one in (every, some))
    for curves, wanted, counts in zip(found, whole, some.counts, strict=True):
        assert curves == pytest.approx(wanted[:, :, list(counts)], abs=1e-6)


def test_logits_get_the_image_that_each_point_comes_from():
    image, heat = random_images(0, 8, 8, 9)

    def logits(perturbed: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
        assert ((perturbed == image[source]) | (perturbed == 0)).all()
        return linear_logits(perturbed, source)

    assert perturbation_curves(perturbation(heat, image, 4, 3, fills=("black",)), logits, 7)[0].shape == (3, 1, 4)


def test_aopc_at_every_number_of_steps():
    curves = np.array([[1.0, 0.5, 0.0], [0.8, 0.8, 0.2]])
    assert aopc_over_patches(curves) == pytest.approx(np.array([[0, 0.25, 0.5], [0, 0, 0.2]]))
    for steps in range(3):
        found = aopc_over_patches(curves[:, : steps + 1])[:, -1].mean()
        assert found == pytest.approx(oracle.aopc(curves[:, : steps + 1].tolist()))


def test_the_oracle_knows_its_patches():
    assert [len(patch) for patch in patch_oracle.patches(5, 4, 3)] == [9, 3, 6, 2]
