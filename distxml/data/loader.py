"""Batches of a split for one DDP rank: decoded and augmented in threads, a few batches ahead."""

import threading
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from distxml.config.recipe import LoaderSettings
from distxml.data.augment import Augmenter
from distxml.data.batch import Batch
from distxml.data.deal import Rows, epoch_order, global_batches, rank_share
from distxml.data.reader import SplitReader
from distxml.data.rows import Sample, collate, decode
from distxml.data.schema import Dataset, Split


@dataclass(frozen=True)
class Rank:
    """A DDP rank and how many there are."""

    index: int = 0
    world_size: int = 1


class Loader:
    """The albumentations backend.

    Every row of the split comes exactly once an epoch over all ranks, and every rank makes the same number of steps.
    A rank that has no row of its own in a step (fewer rows than ranks) repeats one with weight 0. Order and
    augmentation depend on (seed, epoch, key), not on the number of ranks or threads.
    """

    def __init__(self, dataset: Dataset, split: Split, settings: LoaderSettings, rank: Rank, seed: int) -> None:
        self.reader = SplitReader(dataset, split)
        self.settings = settings
        self.rank = rank
        self.seed = seed
        self._of_thread = threading.local()

    def steps(self) -> int:
        """Optimizer steps an epoch."""
        return max(1, -(-len(self.reader) // self.settings.batch_size))

    def training(self, epoch: int) -> Generator[Batch]:
        """An epoch in its own random order, augmented."""
        return self._batches(epoch_order(len(self.reader), self.seed, epoch), epoch)

    def evaluation(self) -> Generator[Batch]:
        """The rows in reading order, unchanged."""
        return self._batches(np.arange(len(self.reader)), None)

    def _batches(self, order: Rows, epoch: int | None) -> Generator[Batch]:
        waiting: list[Future[Batch]] = []
        with ThreadPoolExecutor(self.settings.threads, thread_name_prefix="loader") as pool:
            try:
                for batch in global_batches(order, self.settings.batch_size):
                    waiting.append(pool.submit(self._load, batch, epoch))
                    if len(waiting) > self.settings.prefetch:
                        yield waiting.pop(0).result()
                while waiting:
                    yield waiting.pop(0).result()
            finally:
                for future in waiting:
                    future.cancel()

    def _load(self, batch: Rows, epoch: int | None) -> Batch:
        own = rank_share(batch, self.rank.index, self.rank.world_size)
        if len(own) == 0:
            return collate([self._sample(int(batch[0]), epoch)], weight=0.0)
        return collate([self._sample(int(index), epoch) for index in own])

    def _sample(self, index: int, epoch: int | None) -> Sample:
        sample = decode(self.reader[index], self.settings.image_size)
        return sample if epoch is None else self._augmenter()(sample, epoch)

    def _augmenter(self) -> Augmenter:
        if not hasattr(self._of_thread, "augmenter"):
            self._of_thread.augmenter = Augmenter(self.settings.augmentation, self.seed)
        return self._of_thread.augmenter
