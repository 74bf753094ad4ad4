"""Which rows each DDP rank sees at each step: every row once an epoch, as many steps on every rank."""

import numpy as np
from numpy.typing import NDArray

from distxml.config.seeds import seed_from

Rows = NDArray[np.int64]


def epoch_order(rows: int, seed: int, epoch: int) -> Rows:
    """A permutation of 0..rows-1 that depends on (seed, epoch) alone."""
    return np.random.default_rng(seed_from("order", seed, epoch)).permutation(rows)


def global_batches(order: Rows, batch_size: int) -> list[Rows]:
    """`order` cut into ceil(rows / batch_size) batches whose sizes differ by at most one."""
    return np.array_split(order, max(1, -(-len(order) // batch_size)))


def rank_share(batch: Rows, rank: int, world_size: int) -> Rows:
    """The part of a global batch that one rank takes; empty where there are more ranks than rows."""
    return np.array_split(batch, world_size)[rank]
