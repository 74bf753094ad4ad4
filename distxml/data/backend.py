"""What the loader asks of the library that decodes and augments."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Protocol

from distxml.data.batch import Batch
from distxml.data.rows import Row


@dataclass(frozen=True)
class Share:
    """One rank's rows of one step, encoded; never empty.

    Attributes:
        rows: in the order of the batch.
        weight: 1, or 0 where the rows are padding.
    """

    rows: list[Row]
    weight: float = 1.0


class Backend(Protocol):
    """Turns shares into batches; one for a loader, used for one epoch after the other."""

    def batches(self, shares: Iterator[Share], epoch: int | None) -> Generator[Batch]:
        """A batch for each share, in their order, prepared ahead of the consumer.

        Args:
            shares: read as far ahead as the settings say, no further.
            epoch: augment with (seed, epoch, key); None: decode and resize alone.

        Raises:
            UserError: an image does not decode.
        """
        ...
