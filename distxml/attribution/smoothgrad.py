"""SmoothGrad: the mean gradient of noisy copies of the image."""

import torch
from torch import Tensor

from distxml.attribution.captum_methods import STEPS_PER_PASS
from distxml.attribution.copies import gate_of_copies, generator_of
from distxml.attribution.explained_model import ExplainedModel, GateInput


class SmoothGrad:
    """|1/n · Σ ∂logit(image + ε)/∂image| over n draws of Gaussian noise ε, summed over the channels.

    The noise's standard deviation is a share of the image's range, max − min, and noisy pixels may leave [0, 1], as in
    the source. It is drawn by the image's pixels and the run's seed; captum's NoiseTunnel draws from the process's
    generator, in the order of the batch.

    Source: Smilkov et al., "SmoothGrad: removing noise by adding noise" (2017), section 3; there n = 50 and 10% to 20%
    of noise.
    """

    def __init__(self, explained: ExplainedModel, smoothgrad_samples: int, smoothgrad_noise: float, seed: int) -> None:
        """n, the noise as a share of the image's range, and the run's seed."""
        self.explained, self.samples, self.noise, self.seed = explained, smoothgrad_samples, smoothgrad_noise, seed

    def heatmap(self, image: Tensor, target: Tensor) -> Tensor:
        """B×3×H×W to B×1×H×W, not negative."""
        pairs = zip(image.split(1), target.tolist(), strict=True)
        return torch.cat([self._of_one(one, index) for one, index in pairs])

    def _of_one(self, image: Tensor, target: int) -> Tensor:
        generator, gate = generator_of(image, "smoothgrad", self.seed), self.explained.gate(image)
        deviation = self.noise * float(image.max() - image.min())
        total = torch.zeros_like(image)
        for start in range(0, self.samples, STEPS_PER_PASS):
            count = min(STEPS_PER_PASS, self.samples - start)
            noise = torch.from_numpy(generator.normal(0, deviation, (count, *image.shape[1:]))).to(image)
            total += self._gradients(image + noise, target, gate).sum(0, keepdim=True)
        return (total / self.samples).abs().sum(1, keepdim=True)

    def _gradients(self, copies: Tensor, target: int, gate: GateInput) -> Tensor:
        """N×3×H×W to the same shape."""
        copies = copies.detach().requires_grad_()
        with torch.enable_grad():
            logits = self.explained.logits(copies, gate_of_copies(gate, len(copies)))
            (gradients,) = torch.autograd.grad(logits[:, target].sum(), copies)
        return gradients
