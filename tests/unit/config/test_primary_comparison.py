"""The comparison that a claim rests on is one that an evaluation makes."""

import pytest
from pydantic import ValidationError

from distxml.config.evaluation import EvaluationSettings


@pytest.mark.parametrize(
    ("primary", "message"),
    [
        ({"method": "random"}, "must be a method against random, or in_model against another"),
        ({"method": "lrp", "other": "saliency"}, "must be a method against random, or in_model against another"),
        ({"patch_size": 8}, "patch_size needs fill"),
        ({"patch_size": 7, "fill": "blur"}, r"primary.patch_size=7 is not among patch_sizes \(4, 8, 16, 32\)"),
        ({"method": "lpr"}, "did you mean lrp"),
    ],
)
def test_one_that_is_not_made_is_refused(primary: dict[str, object], message: str):
    with pytest.raises(ValidationError, match=message):
        EvaluationSettings.model_validate({"primary": primary})


@pytest.mark.parametrize(
    "primary", [{}, {"other": "lrp"}, {"method": "saliency"}, {"fill": "blur"}, {"patch_size": 8, "fill": "blur"}]
)
def test_one_that_is_made_is_taken(primary: dict[str, object]):
    assert EvaluationSettings.model_validate({"primary": primary}).primary.model_dump(include=set(primary)) == primary
