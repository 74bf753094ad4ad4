"""Cutting a rank's part of a global batch into pieces that are computed one after the other."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from distxml.data.batch import Batch
from distxml.losses import Shares
from distxml.training.ranks import sum_over_ranks, world_size


def cut(batch: Batch, shares: Shares, most: int | None) -> list[tuple[Batch, Shares]]:
    """The pieces, of at most `most` images each (see `number_of_pieces`), with their shares of the batch's means."""
    if most is None:
        return [(batch, shares)]
    number = number_of_pieces(int(sum_over_ranks(batch.weight.sum())), world_size(), most)
    parts = zip(shares.plain.tensor_split(number), shares.classed.tensor_split(number), strict=True)
    return list(zip(batch.parts(number), (Shares(*both) for both in parts), strict=True))


def number_of_pieces(images: int, ranks: int, most: int) -> int:
    """Equally many on every rank, although their shares of the global batch may differ by one image; none is empty.

    Where one rank has fewer images than the other would have pieces, the other's are one image larger.
    """
    largest_share, smallest_share = math.ceil(images / ranks), images // ranks
    return min(math.ceil(largest_share / most), max(smallest_share, 1))


@contextmanager
def one_update_of_statistics(model: nn.Module, pieces: int) -> Iterator[None]:
    """All pieces together move BatchNorm's running statistics as far as one undivided batch does.

    Each moves them by 1 - (1 - m)^(1/pieces) instead of the momentum m: if all had the same statistics, the result
    would be the undivided batch's.
    """
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)] if pieces > 1 else []
    before = [norm.momentum for norm in norms]
    for norm, momentum in zip(norms, before, strict=True):
        norm.momentum = None if momentum is None else 1 - (1 - momentum) ** (1 / pieces)
    try:
        yield
    finally:
        for norm, momentum in zip(norms, before, strict=True):
            norm.momentum = momentum
