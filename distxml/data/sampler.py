"""Which rows each DDP rank sees at each step: every row once per epoch, equally many steps on every rank.

Training. The row groups are shuffled and laid end to end. The sequence is cut into streams of equal length, as many as
a global batch has images, and step t takes the t-th row of every stream:

    stream 0   r00 r01 r02 ...        a rank owns some of the streams, so it reads only their row groups;
    stream 1   r10 r11 r12 ...        a column is a global batch, so the batches do not depend on the number of ranks.
    ...

Inside a stream rows are shuffled block by block; `shuffle_buffer` is the rows in all streams' blocks together. The
blocks of different streams begin at different steps, so that not all of them are read at once. A split that is no
larger than the buffer is shuffled as a whole.

Evaluation. Each rank takes one stretch of the rows, in reading order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distxml.config.seeds import seed_from

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Rank:
    """A DDP rank and how many there are."""

    index: int = 0
    world_size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the rank that writes files."""
        return self.index == 0


@dataclass(frozen=True)
class Shuffle:
    """What fixes the order of training, with the epoch's number and the sizes of the row groups.

    Attributes:
        batch_size: rows of a global batch.
        buffer: rows among which rows are shuffled, over all ranks.
        seed: of all epochs.
    """

    batch_size: int
    buffer: int
    seed: int


@dataclass(frozen=True)
class EpochRows:
    """One rank's rows of an epoch.

    Attributes:
        steps: rows of each step, in order; the last steps may have one row less, or none.
        padding: the row that stands in, with weight 0, at a step without rows.
    """

    steps: Sequence[Rows]
    padding: int


def number_of_steps(rows: int, batch_size: int) -> int:
    """Steps per epoch: batches of at most `batch_size` rows whose sizes differ by at most one."""
    return -(-rows // batch_size)


def training_rows(group_rows: Sequence[int], shuffle: Shuffle, epoch: int, rank: Rank) -> EpochRows:
    """A rank's part of an epoch in random order; the global batches depend on all arguments but `rank`.

    Args:
        group_rows: rows of each row group of the split.
        shuffle: what fixes the order.
        epoch: its number.
        rank: whose part.
    """
    if not group_rows:
        return EpochRows([], 0)
    streams = _streams(group_rows, shuffle, epoch)
    own = np.array_split(streams, rank.world_size)[rank.index]  # streams × steps
    return EpochRows(
        [column[column >= 0] for column in own.T] if len(own) else [_NONE] * streams.shape[1], int(streams[-1, 0])
    )


def evaluation_rows(rows: int, batch_size: int, rank: Rank) -> EpochRows:
    """A rank's stretch of `rows` rows in reading order, cut into as many steps as every rank makes."""
    if rows == 0:
        return EpochRows([], 0)
    own = np.array_split(np.arange(rows), rank.world_size)[rank.index]
    return EpochRows(np.array_split(own, number_of_steps(rows, batch_size)), int(own[0]) if len(own) else 0)


def max_rows_held(group_rows: Sequence[int], shuffle: Shuffle, ranks: int) -> int:
    """Upper bound on the encoded rows that one rank has in memory while it trains, but for what is read ahead."""
    rows = sum(group_rows)
    if rows <= shuffle.buffer:
        return rows
    streams = -(-rows // number_of_steps(rows, shuffle.batch_size))
    # A block of a stream touches at most two row groups more than it fills, and so does each cut between two blocks. A
    # group that one stream ends with and the next begins with is held for the whole epoch: one more per stream.
    per_stream = max(1, shuffle.buffer // streams) + 3 * max(group_rows)
    return min(rows, -(-streams // ranks) * per_stream)


def max_rows_held_evaluating(group_rows: Sequence[int], buffer: int, ranks: int) -> int:
    """Upper bound on the encoded rows that one rank keeps of a split that it reads in order, but for what is ahead."""
    rows = sum(group_rows)
    both_ends = 2 * max(group_rows, default=0)
    return min(rows, (-(-rows // ranks) if rows <= buffer else 0) + both_ends)


_NONE = np.empty(0, np.int64)


def _streams(group_rows: Sequence[int], shuffle: Shuffle, epoch: int) -> Rows:
    """Streams × steps; -1 where the first stream is shorter than the others."""
    rng = np.random.default_rng(seed_from("order", shuffle.seed, epoch))
    rows = sum(group_rows)
    steps = number_of_steps(rows, shuffle.batch_size)
    streams = -(-rows // steps)
    table = np.full(streams * steps, -1, np.int64)
    if rows <= shuffle.buffer:
        table[:rows] = rng.permutation(rows)
    else:
        block_of = _blocks(streams, steps, max(1, shuffle.buffer // streams))[:rows]
        table[:rows] = _shuffled_groups(group_rows, rng)[np.lexsort((rng.random(rows), block_of))]
    return table.reshape(streams, steps)[::-1]  # the short stream first: it goes to a rank that has most streams


def _shuffled_groups(group_rows: Sequence[int], rng: np.random.Generator) -> Rows:
    """All rows, those of a group together, the groups in random order."""
    starts = np.cumsum([0, *group_rows]).tolist()
    return np.concatenate([np.arange(starts[g], starts[g + 1]) for g in rng.permutation(len(group_rows)).tolist()])


def _blocks(streams: int, steps: int, block: int) -> Rows:
    """Number of the block of each place, stream by stream; stream l's blocks begin l/streams of a block earlier."""
    stream, step = np.divmod(np.arange(streams * steps), steps)
    return (step + stream * block // streams) // block + stream * (steps // block + 2)
