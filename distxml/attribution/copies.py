"""Altered copies of one image, as some methods make them: f of them, and the random numbers that alter them."""

import numpy as np
import torch
from torch import Tensor

from distxml.attribution.explained_model import ExplainedModel, GateInput
from distxml.config.seeds import seed_from
from distxml.digest import digest_of

COPIES_PER_PASS = 16
"""Copies in a forward pass: not `batch_size`, on which the last bits would depend, and with them the order of patches
that score nearly the same."""


def gate_of_copies(gate: GateInput, copies: int) -> GateInput:
    """What gates an image, 1×1×H×W if it is a heatmap, for so many copies of it: a kept heatmap stays the same."""
    return gate.expand(copies, -1, -1, -1) if isinstance(gate, Tensor) else gate


@torch.no_grad()
def probabilities(explained: ExplainedModel, copies: Tensor, gate: GateInput) -> Tensor:
    """Softmax of f.

    Args:
        explained: f.
        copies: N×3×H×W.
        gate: of the image that they are copies of.

    Returns:
        N×C.
    """
    return explained.logits(copies, gate_of_copies(gate, len(copies))).softmax(1)


def generator_of(image: Tensor, purpose: str, seed: int) -> np.random.Generator:
    """Random numbers that are a function of an image's pixels, of what they are for and of the run's seed alone: the
    same in every process, on every device and in every batch.

    Args:
        image: 1×3×H×W in [0, 1].
        purpose: other numbers for other methods.
        seed: of the run.
    """
    pixels = (image.detach().cpu() * 255).round().byte().contiguous().numpy().tobytes()
    return np.random.default_rng(seed_from(purpose, seed, *image.shape, digest_of(pixels)))
