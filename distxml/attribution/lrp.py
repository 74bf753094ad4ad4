"""Layer-wise relevance propagation, by zennit's hooks and the rules of `lrp_rules`."""

from copy import deepcopy

import torch
from torch import Tensor, nn
from zennit.torchvision import ResNetCanonizer

from distxml.attribution.explained import Explained
from distxml.attribution.lrp_rules import alpha1_beta0


class RelevancePropagation:
    """LRP-α1β0 of the classifier under the heatmap of the image (f `recompute` and `fixed`) or a white one (`phase1`).

    The heatmap is a constant weight of the feature maps, also where f makes it anew: relevance passes a gate
    unchanged, and the explainer is no part of what is explained. Relevance starts as the target's logit and all of it
    has the logit's sign; it sums up to the logit over the pixels, apart from what a layer receives at places where no
    input speaks for it (its bias alone made it active, as under a black heatmap), which is lost. It is that of the
    normalised image, as the classifier sees it.

    Source: Bach et al., "On Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise Relevance
    Propagation" (PLOS ONE 2015), the αβ-rule with α = 1 and β = 0.
    """

    def __init__(self, explained: Explained) -> None:
        self.explained = explained
        self.classifier = canonical(explained.model.classifier)

    def heatmap(self, image: Tensor, target: Tensor) -> Tensor:
        """Absolute relevance, summed over the channels: B×3×H×W to B×1×H×W."""
        return self.relevance(image, target).abs().sum(1, keepdim=True)

    def relevance(self, image: Tensor, target: Tensor) -> Tensor:
        """B×3×H×W to the same shape, signed."""
        model = self.explained.model
        normalized = ((image - model.mean) / model.std).detach().requires_grad_()
        with alpha1_beta0().context(self.classifier), torch.enable_grad():
            logits = self.classifier(normalized, self._gate(image))  # B×C
            start = torch.zeros_like(logits).scatter(1, target[:, None], logits.detach().gather(1, target[:, None]))
            (relevance,) = torch.autograd.grad(logits, normalized, start)
        return relevance

    def _gate(self, image: Tensor) -> Tensor:
        if self.explained.f == "phase1":
            return image.new_ones(len(image), 1, *image.shape[2:])
        return self.explained.heatmap(image)


def canonical(classifier: nn.Module) -> nn.Module:
    """A copy of a classifier that computes the same in layers which have a rule.

    BatchNorms become part of the convolutions before them, residual sums become modules. A copy, because zennit's
    canonizers leave traces on a module when they are undone.
    """
    copy = deepcopy(classifier).eval().requires_grad_(False)
    ResNetCanonizer().apply(copy)
    for module in copy.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-12  # merged, it does nothing; before 1.0 zennit left it dividing by √(1 + eps)
    return copy
