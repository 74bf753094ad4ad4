"""The backend for GPUs: NVIDIA DALI decodes and augments there; without a GPU the same graph runs on the CPU."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import torch
from nvidia.dali.pipeline import Pipeline
from torch import Tensor

from distxml.config.recipe import LoaderSettings
from distxml.data.backend import Share
from distxml.data.batch import Batch
from distxml.data.dali.graph import make_pipeline
from distxml.data.dali.inputs import Feed, share_inputs
from distxml.data.read_ahead import read_ahead
from distxml.data.rows import decode
from distxml.errors import UserError


@dataclass(frozen=True)
class FedPipeline:
    """A pipeline and what feeds it; used by one epoch at a time."""

    feed: Feed
    pipeline: Pipeline


class DaliBackend:
    """Decodes and augments `settings.prefetch` shares ahead, on the GPU `device_id` or, where it is None, on the CPU.

    On a GPU the batches' tensors lie there; DALI hands images and masks to torch without a copy.
    """

    def __init__(self, settings: LoaderSettings, seed: int, device_id: int | None) -> None:
        self.settings = settings
        self.seed = seed
        self.device_id = device_id
        self._idle: dict[bool, FedPipeline] = {}  # whether it augments: the one that waits for its next epoch

    def batches(self, shares: Iterator[Share], epoch: int | None) -> Generator[Batch]:
        """See `Backend.batches`."""
        augment = epoch is not None
        # An epoch that ends early, by an error or because the consumer left, does not give its pipeline back: DALI
        # still holds its batches. The next epoch builds another.
        fed = self._idle.pop(augment, None) or self._new(augment)
        with closing(read_ahead(share_inputs(shares, self.settings, self.seed, epoch), 1)) as ready:
            fed.feed.start(ready)
            while (tensors := self._next(fed)) is not None:
                yield self._batch(fed.feed.on_their_way.popleft(), *tensors)
        self._idle[augment] = fed

    def _new(self, augment: bool) -> FedPipeline:
        feed = Feed()
        gpu = self.device_id is not None
        return FedPipeline(feed, make_pipeline(self.settings, feed, augment, gpu, self.device_id))

    def _next(self, fed: FedPipeline) -> tuple[Tensor, Tensor] | None:
        """Image and mask of the next share, or None after the last one."""
        stream = None if self.device_id is None else torch.cuda.current_stream(self.device_id)
        try:
            image, mask = fed.pipeline.run(stream)
        except StopIteration:
            fed.pipeline.reset()
            return None
        except RuntimeError as error:
            raise _named(fed.feed.on_their_way, error) from None
        return torch.from_dlpack(image.as_tensor()), torch.from_dlpack(mask.as_tensor())

    def _batch(self, share: Share, image: Tensor, mask: Tensor) -> Batch:
        rows = share.rows
        batch = Batch(
            image=image,
            label=torch.tensor([row.label for row in rows]),
            mask=mask.permute(0, 3, 1, 2),
            has_mask=torch.tensor([row.mask is not None for row in rows]),
            key=tuple(row.key for row in rows),
            weight=torch.full((len(rows),), share.weight),
        )
        return batch if self.device_id is None else batch.to(torch.device("cuda", self.device_id))


def _named(shares: Sequence[Share], error: RuntimeError) -> UserError:
    """What went wrong with one of these shares: the image that does not decode, or else DALI's own words."""
    for row in (row for share in shares for row in share.rows):
        try:
            decode(row, (4, 4))
        except UserError as culprit:
            return culprit
    keys = ", ".join(row.key for row in shares[0].rows) if shares else "none"
    reason = next((line.strip() for line in str(error).splitlines() if "rror" in line and ":" in line), str(error))
    return UserError(
        f"DALI fails on one of the images from {keys} on, all of which OpenCV decodes ({reason}); "
        "set loader.backend=opencv, or replace the image and build the dataset again"
    )
