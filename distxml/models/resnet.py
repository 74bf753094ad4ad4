"""torchvision's ResNets with gates."""

from pathlib import Path

from torch import fx, nn
from torchvision import models
from torchvision.models import ResNet

from distxml.config.model import ModelSettings
from distxml.errors import UserError, reason_of
from distxml.models.gate import insert_gates
from distxml.models.pretrained import pretrained_file, read_pretrained
from distxml.models.sync_batchnorm import sync_batchnorms


def gated_resnet(settings: ModelSettings, classes: int) -> fx.GraphModule:
    """A ResNet that takes (image B×3×H×W, heatmap B×1×H×W) and returns logits B×C.

    Gates follow the stem (after its max-pool) and every residual block, or every stage (`settings.gates`).
    """
    network = models.get_model(settings.classifier, weights=None)
    assert isinstance(network, ResNet)
    weights = pretrained_file(settings)
    if weights is not None:
        _load_pretrained(network, weights)
    network.fc = nn.Linear(network.fc.in_features, classes)
    nn.init.xavier_uniform_(network.fc.weight)
    nn.init.zeros_(network.fc.bias)
    if settings.sync_batchnorm:
        sync_batchnorms(network)
    return insert_gates(network, _gate_places(network, settings.gates))


def _gate_places(network: ResNet, gates: str) -> list[str]:
    stages = ["layer1", "layer2", "layer3", "layer4"]
    if gates == "stage":
        return ["maxpool", *stages]
    blocks = [f"{stage}.{index}" for stage in stages for index, _ in enumerate(network.get_submodule(stage).children())]
    return ["maxpool", *blocks]


def _load_pretrained(network: ResNet, file: Path) -> None:
    try:
        network.load_state_dict(read_pretrained(file))
    except Exception as error:  # a file that is something else ends in many kinds of errors
        raise UserError(f"model.pretrained: {file}: not a state dict of this ResNet ({reason_of(error)})") from None
