"""What the methods explain in these tests: small joint models in eval mode, under every gating."""

from copy import deepcopy
from functools import cache

import torch
from torch import Tensor, nn

from distxml.attribution.explained_model import ExplainedModel
from distxml.config.evaluation import EvaluationSettings, Gating
from distxml.config.model import ModelSettings
from distxml.models.joint import JointModel
from tests.unit.evaluation.small_model import SIZE, small_model

SETTINGS = EvaluationSettings(
    integration_steps=4, batch_size=3, smoothgrad_samples=3, rise_masks=20, occlusion_window=0.25, occlusion_stride=1.0
)


def explained(gating: Gating) -> ExplainedModel:
    """The small VGG; under `white` another one than the explainer's."""
    joint = small_model().model
    return ExplainedModel(gating, small_model(1).model if gating == "white" else joint, joint)


def images(count: int = 2, size: tuple[int, int] = SIZE) -> Tensor:
    """Noise, B×3×H×W in [0, 1]."""
    return torch.rand(count, 3, *size, generator=torch.Generator().manual_seed(0))


def classifier_like_a_trained_one(name: str, classes: int = 3, size: int = 64, **settings: object) -> JointModel:
    """A random joint model whose BatchNorms have statistics that fit, and weights and biases that differ.

    Its heatmaps of noise vary between 0.5 and 1.
    """
    return deepcopy(_trained_once(name, classes, size, **settings))


@cache
def _trained_once(name: str, classes: int, size: int, **settings: object) -> JointModel:
    torch.manual_seed(0)
    wanted = {"classifier": name, "width": 8, "explainer_width": 4, "init_bias": 1.0} | settings
    model = JointModel(ModelSettings.model_validate(wanted), classes)
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    with torch.no_grad():
        for norm in norms:
            norm.weight.uniform_(0.5, 1.5)
            norm.bias.add_(0.1 * torch.randn_like(norm.bias))
        model.explainer.normalize.weight.fill_(0.3)
        for norm in norms:
            norm.momentum = None  # running statistics are plain means over all batches
        for _ in range(2):
            model(torch.rand(4, 3, size, size))
    return model.eval()
