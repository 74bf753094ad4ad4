"""Parameters of a sweep: what they accept, and what is told of those that are wrong."""

from typing import Any

import pytest
from pydantic import ValidationError

from distxml.config.sweep.parameter import Parameter


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
