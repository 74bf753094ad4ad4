"""Settings of how the networks are computed; torch-free. Defaults suit the device that a worker finds."""

from typing import Literal

from pydantic import Field

from distxml.config.base import Settings


class ComputeSettings(Settings):
    """Precision, layout, determinism and memory; none changes what is computed, but for rounding and `micro_batch`."""

    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of convolutions and matrix products. `auto`: bfloat16 on GPUs that have it, float32 elsewhere (CPUs without
    such instructions are many times slower in bfloat16). `float32` also keeps GPUs from rounding to TF32. Weights,
    the heatmap and the loss are float32 always."""
    channels_last: bool = True
    """Keep weights and feature maps as N×H×W×C in memory instead of N×C×H×W: faster on GPUs, and on CPUs for all but
    torchvision's ResNets on images below about 128 pixels."""
    compile: bool = False
    """Compile the model with torch.compile: each phase's first steps take a minute or so, those after it less."""
    deterministic: bool = False
    """Two runs on the same hardware and with the same workers end with the same weights. On CPUs they always do; on
    GPUs slower algorithms are used."""
    micro_batch: int | None = Field(default=None, ge=1)
    """Most images that a worker computes at once (one more where the workers' shares differ); a larger share of the
    global batch is split, and the gradients are accumulated. BatchNorm, of which the explainer has one, then normalises
    each split by itself. Unset: no bound."""
