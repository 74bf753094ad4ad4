"""Talking to the other DDP ranks; with one rank, or outside a process group, nothing happens."""

import torch
import torch.distributed as dist
from torch import Tensor, nn


def world_size() -> int:
    """Number of DDP ranks."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def sum_over_ranks(value: Tensor) -> Tensor:
    """The sum of every rank's `value`; without gradients."""
    if world_size() == 1:
        return value
    total = value.detach().clone()
    dist.all_reduce(total)
    return total


def from_first_rank(numbers: list[int], device: torch.device) -> list[int]:
    """The first rank's `numbers`, on every rank; all give equally many."""
    if world_size() == 1:
        return numbers
    told = torch.tensor(numbers, device=device)
    dist.broadcast(told, src=0)
    return told.tolist()


def share_buffers(model: nn.Module) -> None:
    """Give every rank the first one's buffers: BatchNorm statistics have drifted apart since the last step."""
    if world_size() == 1:
        return
    with torch.no_grad():
        for buffer in model.buffers():
            dist.broadcast(buffer, src=0)


def wait_for_all(device: torch.device) -> None:
    """Return once every rank is here; on a GPU too, where a reduction alone does not hold up the host."""
    sum_over_ranks(torch.zeros(1, device=device)).item()
