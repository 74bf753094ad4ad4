"""Two ends of an interval never look the same."""

import pytest

from distxml.evaluation.digits import digits_apart


@pytest.mark.parametrize(
    ("low", "high", "digits"),
    [(0.1, 0.2, 3), (0.01991, 0.01994, 5), (-0.0001, 0.0001, 4), (0.5, 0.5 + 1e-12, 9), (-1.5, 1.5, 3)],
)
def test_as_many_as_it_takes(low: float, high: float, digits: int):
    assert digits_apart(low, high, 3) == digits
