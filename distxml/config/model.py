"""Settings of the explainer and of the classifier."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from distxml.config.base import Settings

ClassifierName = Literal["vgg", "small_resnet", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]


class ModelSettings(Settings):
    """The joint model."""

    classifier: ClassifierName = "resnet18"
    """`vgg` is the paper's own network; `small_resnet` suits images below 100 pixels; the other ResNets are
    torchvision's with gates inserted."""
    width: int = Field(default=32, ge=1)
    """Channels of the first stage of `vgg` (the paper's: 32) and of `small_resnet`; later stages double them."""
    gates: Literal["block", "stage"] = "block"
    """Where a ResNet's feature maps are multiplied by the heatmap: after the stem and after every
    residual block (the reference code), or after the stem and after each stage (its README)."""
    explainer_width: int = Field(default=32, ge=1)
    """Channels of the explainer's first encoder stage (the paper's: 32)."""
    init_bias: float = 3.0
    """Initial bias of the explainer's last BatchNorm: at 3 the heatmap starts white (about 0.995)."""
    normalization: Literal["imagenet", "none"] = "none"
    """Mean and standard deviation that the classifier's input is normalised with, inside the model."""
    pretrained: Path | None = None
    """A torchvision state dict (safetensors or a weights-only .pth) for a ResNet; the last layer is new."""
    sync_batchnorm: bool = False
    """Share the classifier's BatchNorm statistics between workers (the explainer always shares its own)."""
