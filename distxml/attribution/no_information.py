"""The control: a heatmap that says nothing."""

from torch import Tensor


class NoInformation:
    """Zero everywhere, so that all patches tie and their order is the tie order: uniformly random, seeded by the key.

    This is a random order of *patches* at every patch size. The mean of random pixels would not be one: smaller
    patches at the border would come out first or last more often than others.
    """

    def heatmap(self, image: Tensor, target: Tensor) -> Tensor:
        """B×3×H×W to B×1×H×W of zeros."""
        del target
        return image.new_zeros(len(image), 1, *image.shape[2:])
