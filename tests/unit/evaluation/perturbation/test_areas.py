"""Areas of curves against loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distxml.evaluation.perturbation.curves import aopc, aopc_by_steps, area_under
from tests.oracles import areas as oracle

CURVES = st.lists(st.floats(-10, 10), min_size=2, max_size=20)


@given(CURVES)
def test_agrees_with_the_oracle(f: list[float]):
    curve = np.array(f)
    assert aopc(curve) == pytest.approx(oracle.aopc(f), abs=1e-9)
    by_steps = [oracle.aopc(f[: end + 1]) for end in range(len(f))]
    assert aopc_by_steps(curve) == pytest.approx(by_steps, abs=1e-9)
    for order in ("morf", "lerf"):
        assert area_under(curve) == pytest.approx(oracle.auc(f, order), abs=1e-9)


def test_known_areas():
    curves = np.array([[0.3, 0.3, 0.3], [1.0, 0.5, 0.0], [1.0, 0.0, 0.0]])
    assert area_under(curves) == pytest.approx([0.3, 0.5, 0.25])
    assert aopc(curves) == pytest.approx([0, 0.5, 2 / 3])
