"""Batches of a split for one DDP rank, from whichever backend the settings choose."""

import importlib.util
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from distxml.config.recipe import LoaderSettings
from distxml.data.augment.opencv import OpenCvBackend
from distxml.data.backend import Backend
from distxml.data.batch import Batch
from distxml.data.read_ahead import read_ahead
from distxml.data.reader import SplitReader
from distxml.data.row_groups import shares
from distxml.data.rows import EncodedRows
from distxml.data.sampler import EpochRows, Rank, Shuffle, evaluation_rows, number_of_steps, training_rows
from distxml.data.schema import Dataset, Split
from distxml.errors import UserError


def make_backend(settings: LoaderSettings, seed: int, gpu: int | None) -> Backend:
    """The backend that the settings choose; `auto` is DALI where there is a GPU and DALI is installed.

    Args:
        settings: `backend`, and what the backend needs.
        seed: of the augmentation.
        gpu: index of the GPU that the rank trains on, or None.

    Raises:
        UserError: DALI is asked for and is not installed.
    """
    installed = _is_installed()
    if settings.backend == "dali" and not installed:
        raise UserError(
            "loader.backend=dali: NVIDIA DALI is not installed (it exists for Linux alone: "
            "`pip install nvidia-dali-cuda130`); install it, or set loader.backend=opencv"
        )
    if settings.backend == "dali" or (settings.backend == "auto" and gpu is not None and installed):
        from distxml.data.dali.backend import DaliBackend

        return DaliBackend(settings, seed, gpu)
    return OpenCvBackend(settings, seed)


def _is_installed() -> bool:
    try:
        return importlib.util.find_spec("nvidia.dali") is not None
    except ModuleNotFoundError:  # there is no package `nvidia` at all
        return False


class Loader:
    """Every row of a split exactly once per epoch over all ranks, with equally many steps on every rank.

    A rank that has no row of its own in a step (fewer rows than ranks) gets one with weight 0. Order and augmentation
    depend on (seed, epoch, key), not on the number of ranks or threads. Reading needs at most `sampler.max_rows_held`
    encoded rows in memory, whatever the size of the dataset, and what is being read ahead.
    """

    def __init__(
        self,
        dataset: Dataset,
        split: Split,
        settings: LoaderSettings,
        rank: Rank,
        seed: int,
        *,
        cache: Path | None = None,
        gpu: int | None = None,
    ) -> None:
        """
        Args:
            dataset: what to read.
            split: its part to read.
            settings: batch size over all ranks, shuffle buffer in images, backend and augmentation.
            rank: this process's index, and how many there are.
            seed: of order and augmentation.
            cache: folder for local copies of shards that lie at a URI.
            gpu: index of the GPU that this rank trains on; None: it has none.

        Raises:
            UserError: the backend that the settings name is not installed.
        """
        self.reader = SplitReader(dataset, split, cache)
        self.settings = settings
        self.rank = rank
        self.shuffle = Shuffle(settings.batch_size, settings.shuffle_buffer, seed)
        self.backend: Backend = make_backend(settings, seed, gpu)
        # A split that fits into the shuffle buffer is read once and kept, as encoded bytes.
        self._kept: dict[int, EncodedRows] | None = {} if len(self.reader) <= settings.shuffle_buffer else None

    def steps(self) -> int:
        """Optimizer steps per epoch."""
        return number_of_steps(len(self.reader), self.settings.batch_size)

    def training(self, epoch: int, first_step: int = 0) -> Generator[Batch]:
        """An epoch in its own random order, augmented.

        Args:
            epoch: its number, from 0; with the seed it fixes order and augmentation.
            first_step: steps that an interrupted epoch had made; the rest is what it would have seen.
        """
        epoch_rows = training_rows(self.reader.group_rows, self.shuffle, epoch, self.rank)
        return self._batches(epoch_rows, first_step, epoch)

    def evaluation(self) -> Generator[Batch]:
        """This rank's stretch of the rows, in reading order, unchanged."""
        return self._batches(evaluation_rows(len(self.reader), self.settings.batch_size, self.rank), 0, None)

    def _batches(self, epoch_rows: EpochRows, first_step: int, epoch: int | None) -> Generator[Batch]:
        rows = shares(self.reader, epoch_rows, first_step, self._kept)
        with (
            closing(read_ahead(rows, self.settings.prefetch)) as ahead,
            closing(self.backend.batches(ahead, epoch)) as out,
        ):
            yield from out


@dataclass(frozen=True)
class Loaders:
    """The two splits that a rank trains with."""

    train: Loader
    val: Loader
