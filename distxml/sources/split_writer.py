"""Writes the splits of a dataset one after the other and keeps count."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from distxml.data.schema import Shard, Split
from distxml.sources.material import Item, Row, Track
from distxml.sources.shards import write_shards


@dataclass
class SplitWriter:
    """Writes splits below `folder`.

    Attributes:
        shards: the files written.
        counts: images a split and class.
        annotated: images a split that have a mask.
    """

    folder: Path
    classes: tuple[str, ...]
    rows_per_shard: int
    track: Track
    shards: list[Shard] = field(default_factory=list)
    counts: dict[Split, dict[str, int]] = field(default_factory=dict)
    annotated: dict[Split, int] = field(default_factory=dict)

    def write(self, split: Split, items: Sequence[Item]) -> None:
        """Encodes the items of a split and writes them."""
        counts = Counter(item.label for item in items)
        self.counts[split] = {name: counts[label] for label, name in enumerate(self.classes)}
        self.annotated[split] = 0
        self.shards += write_shards(self._rows(split, items), self.folder, split, self.rows_per_shard)

    def _rows(self, split: Split, items: Sequence[Item]) -> Iterator[Row]:
        for item in self.track(items, f"writing {split}"):
            row = item.row()
            self.annotated[split] += row.mask is not None
            yield row
