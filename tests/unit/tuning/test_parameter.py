"""Parameters of a sweep: what they accept, what they draw, and what is told of those that are wrong."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from distxml.config.sweep.parameter import Parameter

shares = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ({"choice": [1, "a", None]}, "choice"),
        ({"grid": [0.5]}, "grid"),
        ({"uniform": [0, 1]}, "uniform"),
        ({"loguniform": [1e-4, 1]}, "loguniform"),
        ({"integer": [2, 5]}, "integer"),
        ({"fixed": None}, "fixed"),
        (0.9, "fixed"),
        ("hybrid", "fixed"),
    ],
)
def test_kinds(content: Any, kind: str) -> None:
    assert Parameter.model_validate(content).kind == kind


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({}, "give one of"),
        ({"choice": [1], "uniform": [0, 1]}, "not choice and uniform"),
        ({"choice": []}, "needs a value"),
        ({"choice": [1, 1.0]}, "more than once"),
        ({"uniform": [1, 0]}, "lower end first"),
        ({"uniform": [1, 1]}, "lower end first"),
        ({"loguniform": [0, 1]}, "above 0"),
        ({"integer": [0.5, 2]}, "integer"),
        ({"uniform": [0, 1], "whne": {}}, "Extra inputs"),
    ],
)
def test_what_is_refused(content: Any, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Parameter.model_validate(content)


@given(shares, st.integers(-5, 5), st.integers(1, 9))
def test_integers_reach_both_ends_and_no_further(share: float, low: int, width: int) -> None:
    parameter = Parameter(integer=(low, low + width))
    assert low <= parameter.at(share) <= low + width
    assert {parameter.at((step + 0.5) / (width + 1)) for step in range(width + 1)} == set(range(low, low + width + 1))


@given(shares, st.floats(-3, 3), st.floats(0.1, 3))
def test_ranges_are_even_on_their_scale(share: float, low: float, width: float) -> None:
    assert Parameter(uniform=(low, low + width)).at(share) == pytest.approx(low + share * width)
    in_decades = math.log10(Parameter(loguniform=(10**low, 10 ** (low + width))).at(share))
    assert in_decades == pytest.approx(low + share * width, abs=1e-9)


@given(shares)
def test_choices_are_as_likely(share: float) -> None:
    assert Parameter(choice=("a", "b", "c", "d")).at(share) == "abcd"[int(share * 4)]
