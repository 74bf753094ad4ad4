"""The procedure of the reference code (icrto/xML, PyTorch folder), for `train.py procedure`.

As its train.py, ExplainerClassifierCNN.py and losses.py have it: the explainer is computed in every phase, frozen or
not, and gates the classifier; the explanation loss goes through a Python loop over the images of a batch; a classifier
that is frozen (in the explainer phase) still runs in training mode; and each epoch ends with a pass in eval mode over
the whole training set, to have its loss and accuracy, before the one over the validation set. Total variation is
divided as in distxml, so that both minimise the same loss.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim import SGD

from distxml.config import Recipe
from distxml.config.phases import PhaseName
from distxml.data.batch import Batch
from distxml.models.joint import JointModel

EPSILON = 1e-6


@dataclass(frozen=True)
class Reference:
    """One phase of the reference's training.

    Attributes:
        alpha: of the phase.
    """

    recipe: Recipe
    model: JointModel
    optimizer: SGD
    alpha: float

    @staticmethod
    def build(recipe: Recipe, name: PhaseName, model: JointModel, fused: bool) -> "Reference":
        """Phase `name`; one parameter group per network, with learning rate 0 where it is frozen."""
        phase, settings = recipe.phases[name], recipe.optimizer
        model.explainer.requires_grad_(phase.lr_explainer > 0)
        model.classifier.requires_grad_(phase.lr_classifier > 0)
        groups = [
            {"params": list(model.classifier.parameters()), "lr": phase.lr_classifier},
            {"params": list(model.explainer.parameters()), "lr": phase.lr_explainer},
        ]
        optimizer = SGD(groups, momentum=settings.momentum, weight_decay=settings.weight_decay, fused=fused)
        return Reference(recipe, model, optimizer, phase.alpha)

    def train(self, batches: Sequence[Batch]) -> None:
        """A training step for each batch."""
        learns = next(self.model.explainer.parameters()).requires_grad
        self.model.train()
        self.model.explainer.train(learns)
        for batch in batches:
            self.optimizer.zero_grad()
            output = self.model(batch.image)
            self.loss(output.logits, output.heatmap, batch).backward()
            self.optimizer.step()

    @torch.no_grad()
    def evaluate(self, batches: Sequence[Batch]) -> dict[str, float]:
        """Mean loss terms and accuracy over the images, in eval mode."""
        self.model.eval()
        sums = {"total": 0.0, "classification": 0.0, "explanation": 0.0}
        predicted: list[int] = []
        labels: list[int] = []
        for batch in batches:
            output = self.model(batch.image)
            classification = F.cross_entropy(output.logits, batch.label, reduction="sum")
            explanation = self.explanation(output.heatmap, batch.mask)
            sums["explanation"] += explanation.item()
            sums["classification"] += classification.item()
            sums["total"] += (self.alpha * classification + (1 - self.alpha) * explanation).item()
            predicted += F.softmax(output.logits, dim=1).max(1).indices.tolist()
            labels += batch.label.tolist()
        right = sum(one == other for one, other in zip(predicted, labels, strict=True))
        return {name: value / len(labels) for name, value in sums.items()} | {"accuracy": right / len(labels)}

    def loss(self, logits: Tensor, heatmap: Tensor, batch: Batch) -> Tensor:
        """The joint loss, a mean over the batch's images: a scalar."""
        classification = F.cross_entropy(logits, batch.label)
        return self.alpha * classification + (1 - self.alpha) * self.explanation(heatmap, batch.mask) / len(batch)

    def explanation(self, heatmaps: Tensor, masks: Tensor) -> Tensor:
        """The explanation loss of two B×1×H×W, summed over the images one by one: a scalar."""
        total = torch.zeros(())
        for number, heatmap in enumerate(heatmaps):
            total = total + self._explanation_of_one(heatmap.squeeze(), masks[number][0])
        return total

    def _explanation_of_one(self, heat: Tensor, mask: Tensor) -> Tensor:
        settings = self.recipe.loss
        down = torch.sum(torch.abs(heat[1:] - heat[:-1]))
        across = torch.sum(torch.abs(heat[:, 1:] - heat[:, :-1]))
        loss = settings.beta * torch.mean(torch.abs(heat)) + (1 - settings.beta) * (down + across) / heat.numel()
        if settings.kind == "hybrid":
            outside = 1 - mask
            loss = loss + settings.gamma * torch.abs(torch.sum(outside * heat) / (torch.sum(outside) + EPSILON))
        return loss
