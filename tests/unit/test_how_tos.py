"""docs/architecture.md says where a new part goes: its blocks are run, and what they register is then used."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from distxml.attribution.explained_model import ExplainedModel
from distxml.attribution.methods import METHODS, make_method
from distxml.config.dataset import DatasetRecipe
from distxml.config.evaluation import EvaluationSettings
from distxml.config.model import ModelSettings
from distxml.config.sources import SOURCES
from distxml.evaluation.perturbation.fill_images import make_fills
from distxml.evaluation.perturbation.fills import FILLS
from distxml.metrics.lookup import METRICS, metric_entry
from distxml.models.classifiers import CLASSIFIERS
from distxml.models.joint import JointModel
from distxml.sources.building.build import build_dataset
from distxml.training.callbacks.registry import CALLBACKS
from tests.unit.sources.pictures import write_image
from tests.unit.training.small_training import SHORT, events, small_recipe, small_trainer

PAGE = Path(__file__).parents[2] / "docs/architecture.md"
REGISTRIES: dict[str, Any] = {
    "A heatmap method": METHODS,
    "A fill": FILLS,
    "A source of raw material": SOURCES,
    "A classifier": CLASSIFIERS,
    "A metric": METRICS,
    "A callback": CALLBACKS,
}


def blocks() -> dict[str, str]:
    """The code under each heading of the page's last part."""
    part = PAGE.read_text().split("## Where a new part goes")[1]
    found = re.findall(r"^### (.+?)\n.*?^```python\n(.*?)^```", part, re.MULTILINE | re.DOTALL)
    return dict(found)


@pytest.fixture
def registered(request: pytest.FixtureRequest) -> Iterator[str]:
    """Runs the block under a heading; the name that it registers, until the test is over."""
    registry = REGISTRIES[request.param]
    before = registry.names()
    exec(compile(blocks()[request.param], str(PAGE), "exec"), {"__name__": "how_to"})
    (name,) = set(registry.names()) - set(before)
    yield name
    registry.remove(name)


def under(heading: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("registered", [heading], indirect=True)


def test_every_kind_is_tried() -> None:
    assert blocks().keys() == REGISTRIES.keys()


@under("A heatmap method")
def test_a_heatmap_method(registered: str) -> None:
    settings = EvaluationSettings(methods=(registered,))
    model = JointModel(ModelSettings(classifier="vgg", width=2, explainer_width=2), 2).eval()
    method = make_method(registered, ExplainedModel("recompute", model, model), settings, seed=0)
    image = torch.rand(2, 3, 16, 16)
    assert torch.equal(method.heatmap(image, torch.zeros(2, dtype=torch.int64)), image.mean(1, keepdim=True))


@under("A fill")
def test_a_fill(registered: str) -> None:
    settings = EvaluationSettings(fills=(registered, "black"))
    image = torch.rand(2, 3, 8, 8)
    filled = make_fills(image, ["a", "b"], settings.fills, settings.blur_sigma, 0)
    assert torch.equal(filled[0], image.flip(3)) and not filled[1].any()


@under("A source of raw material")
def test_a_source(registered: str, tmp_path: Path) -> None:
    for name in ("0_a", "0_b", "0_c", "1_a", "1_b", "1_c"):
        write_image(tmp_path / "images" / f"{name}.png")
    source = {"kind": registered, "folder": str(tmp_path / "images")}
    built = build_dataset(DatasetRecipe.model_validate({"name": "few", "source": source}), tmp_path / "out")
    assert built.dataset.metadata.classes == ("cat", "dog") and built.dataset.metadata.all_rows == 6


@under("A classifier")
def test_a_classifier(registered: str) -> None:
    model = JointModel(ModelSettings(classifier=registered, width=4, explainer_width=2), 3).eval()
    image = torch.rand(2, 3, 16, 16)
    output = model(image, None)
    assert output.logits.shape == (2, 3) and output.heatmap.shape == (2, 1, 16, 16)
    assert not torch.equal(output.logits, model(image, "white").logits)


@under("A metric")
def test_a_metric(registered: str) -> None:
    assert metric_entry(registered).title == "Ratio of the learning rates"


@under("A callback")
def test_a_callback(registered: str, tmp_path: Path) -> None:
    recipe = small_recipe(tmp_path, *SHORT)
    small_trainer(recipe).fit()
    assert all(registered in event["val"] for event in events(recipe, "epoch"))
