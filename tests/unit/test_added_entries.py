"""A heatmap method, a fill and a classifier that are added from outside: valid settings, then used like the others."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from distxml.attribution.explained_model import ExplainedModel
from distxml.attribution.methods import METHODS, MethodEntry, make_method
from distxml.config import Recipe, load_settings
from distxml.config.evaluation import EvaluationSettings
from distxml.config.model import ModelSettings
from distxml.config.quick_scores import QuickScoresSettings
from distxml.errors import UserError
from distxml.evaluation.perturbation.fill_images import Unperturbed, make_fills
from distxml.evaluation.perturbation.fills import FILLS, FillEntry
from distxml.models.classifiers import CLASSIFIERS, ClassifierEntry
from distxml.models.joint import JointModel
from distxml.registry import Registry
from distxml.report.figure import ORANGE
from distxml.report.style import method_name, method_style
from tests.unit.evaluation.small_model import small_explained, small_rows, small_scorer


@contextmanager
def added(registry: Registry[Any], entry: Any) -> Iterator[None]:
    registry.add(entry)
    try:
        yield
    finally:
        registry.remove(entry.name)


class Brightness:
    """The image's brightness over the steps of the settings: a method that is good for nothing."""

    def __init__(self, explained: ExplainedModel, integration_steps: int) -> None:
        self.explained, self.steps = explained, integration_steps

    def heatmap(self, image: Tensor, target: Tensor) -> Tensor:
        """B×1×H×W."""
        return image.mean(1, keepdim=True) / self.steps


BRIGHTNESS = MethodEntry(
    "brightness",
    "brightness",
    f"{__name__}:Brightness",
    "gradient",
    "-.",
    ("integration_steps",),
    2,
    "integration_steps",
)


def test_a_method_is_validated_made_and_scored(tmp_path):
    rows = small_rows(2)
    with added(METHODS, BRIGHTNESS):
        settings = EvaluationSettings(
            methods=("brightness", "random"),
            integration_steps=5,
            patch_sizes=(16,),
            min_patches=4,
            fills=("black",),
            steps=2,
        )
        records = small_scorer(tmp_path, settings, rows).score(rows, settings.methods)
        method = make_method("brightness", small_explained(), settings, seed=0)
        assert isinstance(method, Brightness) and method.steps == 5
        assert METHODS["brightness"].passes_per_heatmap(settings) == 10
        assert method_name("brightness") == "brightness"
        assert (method_style("brightness").color, method_style("brightness").dash) == (ORANGE, "-.")
    assert [record.method for record in records] == ["brightness", "random"] * 2
    assert all(len(curve.f) == 3 for record in records for curve in record.curves)


class Stripes:
    """A control: every second column."""

    def heatmap(self, image: Tensor, target: Tensor) -> Tensor:
        """B×1×H×W."""
        heat = image.new_zeros(len(image), 1, *image.shape[2:])
        heat[..., ::2] = 1
        return heat


def test_a_control_is_made_without_a_model():
    with added(METHODS, MethodEntry("stripes", "stripes", Stripes, "control")):
        assert isinstance(make_method("stripes", small_explained(), EvaluationSettings(), seed=0), Stripes)


def red(unperturbed: Unperturbed) -> Tensor:
    image = torch.zeros_like(unperturbed.image)
    image[:, 0] = 1
    return image


def test_a_fill_is_validated_and_made():
    with added(FILLS, FillEntry("red", red)):
        assert EvaluationSettings(fills=("red",)).fills == ("red",)
        assert QuickScoresSettings(fill="red").fill == "red"
        (filled,) = make_fills(torch.rand(2, 3, 4, 4), ["a", "b"], ["red"], 0.05, 0)
    assert filled.sum((0, 2, 3)).tolist() == [32, 0, 0]


class Linear(nn.Module):
    """Gated mean colour, then one layer."""

    def __init__(self, settings: ModelSettings, classes: int) -> None:
        super().__init__()
        self.layer = nn.Linear(3 * settings.width, classes)

    def forward(self, image: Tensor, heatmap: Tensor) -> Tensor:
        """B×C."""
        return self.layer((image * heatmap).mean((2, 3)).repeat(1, self.layer.in_features // 3))


def test_a_classifier_is_validated_and_built():
    with added(CLASSIFIERS, ClassifierEntry("linear", "A linear layer", Linear)):
        settings = load_settings(Recipe, "polygons", ["model.classifier=linear", "model.width=2"]).model
        assert not settings.has_torchvision_classifier
        model = JointModel(settings, 3)
        assert isinstance(model.classifier, Linear)
        assert model(torch.rand(2, 3, 8, 8)).logits.shape == (2, 3)
        with pytest.raises(UserError, match="no such weights for classifier=linear; choose resnet18"):
            load_settings(Recipe, "polygons", ["model.classifier=linear", "model.pretrained=w.pth"])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("evaluation.methods=[in_model,salency]", "no such heatmap method; did you mean saliency"),
        ("evaluation.fills=[gray,grey]", "no such fill; did you mean gray"),
        ("quick_scores.fill=blurr", "no such fill; did you mean blur"),
        ("model.classifier=resnet19", "no such classifier; did you mean resnet18"),
    ],
)
def test_an_unknown_name_fails_with_the_nearest(override, message):
    with pytest.raises(UserError, match=message) as error:
        load_settings(Recipe, "polygons", [override])
    assert str(error.value).startswith(f"override {override.partition('=')[0]}")
