"""`benchmarks/attribution_settings.py` holds every setting against the default."""

from distxml.config.evaluation import EvaluationSettings
from tests.unit.benchmarks.test_train import benchmark
from tests.unit.evaluation.small_model import small_model


def test_the_first_of_each_kind_is_the_default_and_no_variant_comes_twice() -> None:
    variants, default = benchmark("attribution_settings").variants(small_model().model), EvaluationSettings()
    firsts = {variant.kind: variant for variant in reversed(variants)}
    for variant in firsts.values():
        assert all(getattr(default, name) == value for name, value in variant.change.items()), variant.kind
    assert len({(variant.kind, variant.method, *variant.change.values()) for variant in variants}) == len(variants)
    layers = [variant.change["grad_cam_layer"] for variant in variants if variant.kind == "grad_cam_layer"]
    assert layers == ["last", "stage3", "stage2", "stage1"]
