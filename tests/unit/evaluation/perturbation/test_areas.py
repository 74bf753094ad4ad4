"""Areas of curves against loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distxml.evaluation.perturbation.areas import aopc_by_steps, aopc_over_patches, aopc_over_share, area_under
from tests.oracles import areas as oracle

CURVES = st.lists(st.floats(-10, 10), min_size=2, max_size=20)
POINTS = st.lists(st.tuples(st.floats(-10, 10), st.floats(0.01, 1)), min_size=2, max_size=20)


@given(CURVES)
def test_agrees_with_the_oracle(f: list[float]):
    curve, share = np.array(f), np.linspace(0, 1, len(f))
    by_steps = [oracle.aopc(f[: end + 1]) for end in range(len(f))]
    assert aopc_by_steps(curve, share, None) == pytest.approx(by_steps, abs=1e-9)
    for order in ("morf", "lerf"):
        assert area_under(curve, share) == pytest.approx(oracle.auc(f, order), abs=1e-9)


@given(POINTS, st.floats(0.01, 1))
def test_over_a_share_agrees_with_the_oracle(points: list[tuple[float, float]], limit: float):
    f, steps = map(list, zip(*points, strict=True))
    share = [0.0, *np.cumsum(steps[1:]).tolist()]
    share = [one / share[-1] for one in share]
    by_steps = [oracle.aopc_over_share(f[: end + 1], share[: end + 1], limit) for end in range(1, len(f))]
    found = aopc_by_steps(np.array(f), np.array(share), limit)
    assert found == pytest.approx([0, *by_steps], abs=1e-8)


@given(POINTS)
def test_over_the_whole_image_it_is_the_start_minus_the_area_under_the_curve(points: list[tuple[float, float]]):
    f, steps = (np.array(column) for column in zip(*points, strict=True))
    share = np.concatenate([[0], steps[1:].cumsum()]) / steps[1:].sum()
    assert aopc_over_share(f, share, 1)[-1] == pytest.approx(f[0] - area_under(f, share), abs=1e-8)


def test_known_areas():
    curves = np.array([[0.3, 0.3, 0.3], [1.0, 0.5, 0.0], [1.0, 0.0, 0.0]])
    share = np.array([0, 0.5, 1])
    assert area_under(curves, share) == pytest.approx([0.3, 0.5, 0.25])
    assert aopc_over_patches(curves)[:, -1] == pytest.approx([0, 0.5, 2 / 3])
    assert aopc_over_share(curves, np.broadcast_to(share, curves.shape), 0.5)[:, -1] == pytest.approx([0, 0.25, 0.5])


def test_a_straight_fall_has_the_same_aopc_whatever_the_patches_are():
    """Patch by patch it has not: the mean over the points counts the unperturbed image as one of them."""
    coarse, fine = np.linspace(0, 1, 5), np.linspace(0, 1, 101)
    ours = [aopc_over_share(1 - share, share, 1)[-1] for share in (coarse, fine)]
    assert ours == pytest.approx([0.5, 0.5])
    assert [aopc_over_patches(1 - share[:5])[-1] for share in (coarse, fine)] == pytest.approx([0.5, 0.02])
