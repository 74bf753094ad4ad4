"""torchvision's ResNets with gates."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, fx, nn
from torchvision import models
from torchvision.models import ResNet

from distxml.config.model import ModelSettings
from distxml.errors import UserError
from distxml.models.gate import insert_gates
from distxml.models.shared_batchnorm import share_batchnorms


def gated_resnet(settings: ModelSettings, classes: int) -> fx.GraphModule:
    """A ResNet that takes (image B×3×H×W, heatmap B×1×H×W) and returns logits B×C.

    Gates follow the stem (after its max-pool) and every residual block, or every stage (`settings.gates`).
    """
    network = models.get_model(settings.classifier, weights=None)
    assert isinstance(network, ResNet)
    if settings.pretrained is not None:
        _load_pretrained(network, settings.pretrained)
    network.fc = nn.Linear(network.fc.in_features, classes)
    nn.init.xavier_uniform_(network.fc.weight)
    nn.init.zeros_(network.fc.bias)
    if settings.sync_batchnorm:
        share_batchnorms(network)
    return insert_gates(network, _gate_places(network, settings.gates))


def _gate_places(network: ResNet, gates: str) -> list[str]:
    stages = ["layer1", "layer2", "layer3", "layer4"]
    if gates == "stage":
        return ["maxpool", *stages]
    blocks = [f"{stage}.{index}" for stage in stages for index, _ in enumerate(network.get_submodule(stage).children())]
    return ["maxpool", *blocks]


def _load_pretrained(network: ResNet, path: Path) -> None:
    try:
        network.load_state_dict(_read_state(path))
    except FileNotFoundError:
        raise UserError(f"model.pretrained: {path}: no such file; download torchvision's weights first") from None
    except Exception as error:
        reason = str(error).strip().split("\n")[0]
        raise UserError(f"model.pretrained: {path}: not a state dict of this ResNet ({reason})") from None


def _read_state(path: Path) -> dict[str, Tensor]:
    if path.suffix == ".safetensors":
        return load_file(path)
    return torch.load(path, map_location="cpu", weights_only=True)
