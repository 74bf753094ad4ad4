"""BatchNorm whose training statistics are those of the global batch, on any device.

torch's own SyncBatchNorm refuses CPU tensors; this one is built on a differentiable all-reduce, so that one global
batch gives the same gradients on any number of DDP ranks.
"""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd import Function


class SyncBatchNorm2d(nn.BatchNorm2d):
    """`BatchNorm2d` over the images of all DDP ranks; with one rank, or in eval mode, exactly `BatchNorm2d`."""

    def forward(self, input: Tensor) -> Tensor:
        """B×C×H×W to the same shape."""
        syncs = self.training and dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
        return self._forward_over_ranks(input) if syncs else super().forward(input)

    def _forward_over_ranks(self, input: Tensor) -> Tensor:
        # Sums over many pixels need float32 at least, also where autocast hands in bfloat16.
        wide = input.to(torch.promote_types(input.dtype, torch.float32))
        local_count = wide.new_full((1,), input.numel() / input.shape[1])
        total = _sum_over_ranks(torch.cat([wide.sum((0, 2, 3)), local_count]))
        count = total[-1:]
        mean = total[:-1] / count
        # Second pass over the deviations: a mean of squares minus a squared mean cancels in float32.
        variance = _sum_over_ranks((wide - mean.view(1, -1, 1, 1)).square().sum((0, 2, 3))) / count
        self._update_running(mean.detach(), variance.detach(), count.detach())
        scale = (variance + self.eps).rsqrt() * self.weight
        normal = (wide - mean.view(1, -1, 1, 1)) * scale.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)
        return normal.to(input.dtype)

    def _update_running(self, mean: Tensor, variance: Tensor, count: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        momentum = self.momentum if self.momentum is not None else 1 / float(self.num_batches_tracked)
        unbiased = variance * count / (count - 1).clamp_min(1)
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(unbiased, momentum)


class _SumOverRanks(Function):
    """Adds up a tensor over the ranks. What each rank feeds in reaches every rank's loss: gradients add up too."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _sum_over_ranks(gradients[0].contiguous())


def _sum_over_ranks(value: Tensor) -> Tensor:
    total = _SumOverRanks.apply(value)
    assert isinstance(total, Tensor)
    return total


def sync_batchnorms(module: nn.Module) -> None:
    """Turn every `BatchNorm2d` below `module` into a `SyncBatchNorm2d`, state kept."""
    for name, child in module.named_children():
        if type(child) is nn.BatchNorm2d:
            synced = SyncBatchNorm2d(child.num_features, child.eps, child.momentum)
            synced.load_state_dict(child.state_dict())
            setattr(module, name, synced)
        else:
            sync_batchnorms(child)
