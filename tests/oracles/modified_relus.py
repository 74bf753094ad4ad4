"""Guided backpropagation and deconvolution: a copy of a model whose ReLUs are autograd functions of our own."""

import copy
from typing import Any, Literal, TypeVar

from torch import Tensor, nn
from torch.autograd import Function

Model = TypeVar("Model", bound=nn.Module)


class GuidedReLU(Function):
    """Backwards: what is positive, where the input was."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor) -> Tensor:
        ctx.active = inputs > 0
        return inputs * ctx.active

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0] * ctx.active * (gradients[0] > 0)


class DeconvolutionReLU(Function):
    """Backwards: what is positive."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor) -> Tensor:
        return inputs * (inputs > 0)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0] * (gradients[0] > 0)


class Modified(nn.Module):
    """In the place of an `nn.ReLU`."""

    def __init__(self, function: type[Function]) -> None:
        super().__init__()
        self.function = function

    def forward(self, inputs: Tensor) -> Tensor:
        return self.function.apply(inputs)  # pyright: ignore[reportReturnType]


def with_modified_relus(model: Model, name: Literal["guided_backprop", "deconvolution"]) -> Model:
    """A copy."""
    function = GuidedReLU if name == "guided_backprop" else DeconvolutionReLU
    changed = copy.deepcopy(model)
    for module in list(changed.modules()):
        for child_name, child in list(module.named_children()):
            if isinstance(child, nn.ReLU):
                setattr(module, child_name, Modified(function))
    return changed
