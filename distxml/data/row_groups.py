"""The rows of an epoch in its order: a row group is read when first needed and dropped after its last row."""

from collections.abc import Iterator, Sequence

import numpy as np

from distxml.data.backend import Share
from distxml.data.reader import SplitReader
from distxml.data.rows import EncodedRows, Row
from distxml.data.sampler import EpochRows, Rows


def shares(
    reader: SplitReader, epoch_rows: EpochRows, first_step: int, kept: dict[int, EncodedRows] | None = None
) -> Iterator[Share]:
    """A share for each step from `first_step` on.

    Args:
        reader: of the split.
        epoch_rows: the rank's rows.
        first_step: steps of this epoch that were made already.
        kept: where row groups stay for the next epoch; None: each is dropped after its last row.
    """
    groups = RowGroups(reader, kept)
    steps = [step if len(step) else np.array([epoch_rows.padding]) for step in epoch_rows.steps[first_step:]]
    groups.expect(steps)
    for step, own in zip(steps, epoch_rows.steps[first_step:], strict=True):
        yield Share([groups.take(int(index)) for index in step], weight=1.0 if len(own) else 0.0)


class RowGroups:
    """Row groups in memory, each for as long as its rows are still to come."""

    def __init__(self, reader: SplitReader, kept: dict[int, EncodedRows] | None = None) -> None:
        self.reader = reader
        self.keep = kept is not None
        self.held: dict[int, EncodedRows] = {} if kept is None else kept
        self.still_to_come: dict[int, int] = {}

    def expect(self, steps: Sequence[Rows]) -> None:
        """All rows that will be taken."""
        taken = np.concatenate([np.empty(0, np.int64), *steps])
        groups, counts = np.unique(np.searchsorted(self.reader.starts, taken, side="right") - 1, return_counts=True)
        self.still_to_come = dict(zip(groups.tolist(), counts.tolist(), strict=True))

    def take(self, index: int) -> Row:
        """Row `index` of the split."""
        group = self.reader.group_of(index)
        if group not in self.held:
            self.held[group] = self.reader.group(group)
        row = self.held[group][index - int(self.reader.starts[group])]
        self.still_to_come[group] -= 1
        if not self.keep and self.still_to_come[group] == 0:
            del self.held[group]
        return row
