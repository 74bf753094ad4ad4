"""A control that knows neither image nor model: objects tend to be in the middle."""

import torch
from torch import Tensor


class CenterDistance:
    """1 at the centre of the image, falling with the distance from it to 0 at the farthest pixels, the corners."""

    def heatmap(self, image: Tensor, target: Tensor) -> Tensor:
        """B×3×H×W to B×1×H×W, the same for every image and target."""
        del target
        rows, columns = (
            torch.arange(size, dtype=image.dtype, device=image.device) - (size - 1) / 2 for size in image.shape[2:]
        )
        distance = torch.hypot(rows[:, None], columns[None, :])  # H×W, in pixels
        heat = 1 - distance / distance.max()
        return heat.expand(len(image), 1, -1, -1).clone()
