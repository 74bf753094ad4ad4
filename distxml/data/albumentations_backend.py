"""The backend for CPUs: OpenCV decodes, albumentations augments, in threads."""

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from distxml.config.recipe import LoaderSettings
from distxml.data.augment import Augmenter
from distxml.data.backend import Share
from distxml.data.batch import Batch
from distxml.data.rows import Row, Sample, collate, decode


class AlbumentationsBackend:
    """Decodes and augments `settings.prefetch` shares ahead in `settings.threads` threads."""

    def __init__(self, settings: LoaderSettings, seed: int) -> None:
        self.settings = settings
        self.augmenter = Augmenter(settings.augmentation, seed)

    def batches(self, shares: Iterator[Share], epoch: int | None) -> Generator[Batch]:
        """See `Backend.batches`."""
        waiting: deque[Future[Batch]] = deque()
        with ThreadPoolExecutor(self.settings.threads, thread_name_prefix="loader") as pool:
            try:
                for share in shares:
                    waiting.append(pool.submit(self._batch, share, epoch))
                    if len(waiting) > self.settings.prefetch:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def _batch(self, share: Share, epoch: int | None) -> Batch:
        return collate([self._sample(row, epoch) for row in share.rows], share.weight)

    def _sample(self, row: Row, epoch: int | None) -> Sample:
        sample = decode(row, self.settings.image_size)
        return sample if epoch is None else self.augmenter(sample, epoch)
