"""`Batch`: what every loader backend yields."""

from dataclasses import dataclass, replace
from itertools import islice

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """B images with their annotations.

    Attributes:
        image: B×3×H×W float32 in [0, 1].
        label: B int64, index into the dataset's classes.
        mask: B×1×H×W float32, 1 inside the region of interest. Where an image has no annotation the mask is all
            ones, so that nothing counts as outside; `has_mask` tells the two apart.
        has_mask: B bool, whether the image was annotated (an empty annotation counts).
        key: B unique names.
        weight: B float32, 1 for an image that counts, 0 for padding.
    """

    image: Tensor
    label: Tensor
    mask: Tensor
    has_mask: Tensor
    key: tuple[str, ...]
    weight: Tensor

    def __len__(self) -> int:
        return len(self.key)

    def to(self, device: torch.device) -> "Batch":
        """The same batch on another device."""
        moved = {
            name: getattr(self, name).to(device, non_blocking=True)
            for name in ("image", "label", "mask", "has_mask", "weight")
        }
        return replace(self, **moved)

    def parts(self, number: int) -> list["Batch"]:
        """The batch cut into so many batches, in order, whose sizes differ by at most one."""
        cut = {
            name: getattr(self, name).tensor_split(number) for name in ("image", "label", "mask", "has_mask", "weight")
        }
        keys = iter(self.key)
        return [
            Batch(
                **{name: parts[index] for name, parts in cut.items()}, key=tuple(islice(keys, len(cut["label"][index])))
            )
            for index in range(number)
        ]
