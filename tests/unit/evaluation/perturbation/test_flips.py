"""Decision flips against the oracle, with ties; only the order of the logits counts."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from distxml.evaluation.perturbation.flips import decision_flips
from tests.oracles.flips import flips as oracle

# Few levels, so that classes tie: B×(L+1)×C.
LOGITS = arrays(np.float32, array_shapes(min_dims=3, max_dims=3, max_side=5), elements=st.sampled_from([-2.5, 0, 1, 3]))


@given(LOGITS, st.floats(0.25, 4))
def test_against_the_oracle_at_any_temperature(logits: np.ndarray, factor: float) -> None:
    found = decision_flips(torch.from_numpy(logits)).tolist()
    assert found == pytest.approx([oracle(image.tolist()) for image in logits])
    assert decision_flips(factor * torch.from_numpy(logits)).tolist() == found


def test_a_class_that_ties_holds() -> None:
    curves = torch.tensor([[[2.0, 1], [1, 1], [0, 1], [3, 1]], [[1, 1], [0, 0], [2, 2], [1, 1]]])
    assert decision_flips(curves).tolist() == [0.25, 0]
