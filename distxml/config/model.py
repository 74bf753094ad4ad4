"""Settings of the explainer and of the classifier."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_serializer, model_validator

from distxml.config.base import Settings
from distxml.registry import NameIn

CLASSIFIERS = NameIn("distxml.models.classifiers:CLASSIFIERS")


class ModelSettings(Settings):
    """The joint model."""

    classifier: Annotated[str, CLASSIFIERS] = "resnet18"
    """`vgg` is the paper's own network; `small_resnet` suits images below 100 pixels; the other ResNets are
    torchvision's with gates inserted."""
    width: int = Field(default=32, ge=1)
    """Channels of the first stage of `vgg` (the paper's: 32) and of `small_resnet`; later stages double them."""
    gates: Literal["block", "stage"] = "block"
    """Where a torchvision ResNet's feature maps are multiplied by the heatmap: after the stem and after every
    residual block (the reference code), or after the stem and after each stage (its README)."""
    explainer_width: int = Field(default=32, ge=1)
    """Channels of the explainer's first encoder stage (the paper's: 32)."""
    init_bias: float = 3.0
    """Initial bias of the explainer's last BatchNorm: at 3 the heatmap starts white (about 0.995)."""
    explainer_momentum: float = Field(default=0.5, gt=0, le=1)
    """How fast the running statistics of the explainer's BatchNorm follow the batches: the share that a batch adds.
    They are what its heatmaps are normalised with in eval mode (validation, evaluation)."""
    normalization: Literal["imagenet", "none"] = "none"
    """Mean and standard deviation that the classifier's input is normalised with, inside the model."""
    pretrained: Literal["imagenet"] | Path | None = None
    """Weights that a torchvision ResNet starts from; the last layer is new. `imagenet`: torchvision's default ones,
    downloaded once per node, for `normalization` imagenet. Or a file: a torchvision state dict (safetensors or a
    weights-only .pth); one that is called imagenet is given as ./imagenet."""
    sync_batchnorm: bool = False
    """Share the classifier's BatchNorm statistics between workers (the explainer always shares its own)."""

    @property
    def has_torchvision_classifier(self) -> bool:
        """Whether the classifier is one of torchvision's."""
        return CLASSIFIERS.registry()[self.classifier].is_torchvision

    @field_serializer("pretrained", when_used="json")
    def _keep_a_file_a_file(self, pretrained: str | Path | None) -> str | None:
        if pretrained == Path("imagenet"):
            return "./imagenet"  # without its ./ it would be read back as torchvision's weights
        return None if pretrained is None else str(pretrained)

    @model_validator(mode="after")
    def _nothing_is_ignored(self) -> "ModelSettings":
        own = not self.has_torchvision_classifier
        if own and self.pretrained is not None:
            raise ValueError(
                f"pretrained={self.pretrained}: there are no such weights for classifier={self.classifier}; choose "
                "resnet18, resnet34, resnet50, resnet101 or resnet152, or leave pretrained out"
            )
        if own and self.gates != "block":
            raise ValueError(
                f"gates={self.gates}: classifier={self.classifier} has its gates in fixed places; choose a resnet18 "
                "to resnet152, or leave gates out"
            )
        if self.pretrained == "imagenet" and self.normalization != "imagenet":
            raise ValueError(
                f"pretrained=imagenet: those weights expect normalization=imagenet, not {self.normalization}; set it"
            )
        return self
