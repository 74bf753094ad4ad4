"""What replaces a patch, by name. Imports neither torch nor Ray.

A new fill is a function of `Unperturbed` (see `fill_images`), and its entry in `FILLS`.
"""

from dataclasses import dataclass

from distxml.registry import Address, Registry


@dataclass(frozen=True)
class FillEntry:
    """What is known of a fill without importing it.

    Attributes:
        name: as settings and tables write it.
        make: from `Unperturbed` to B×3×H×W in [0, 1].
    """

    name: str
    make: Address


_IMAGES = "distxml.evaluation.perturbation.fill_images"

FILLS = Registry(
    "fill",
    [FillEntry(name, f"{_IMAGES}:{name}") for name in ("black", "white", "gray", "uniform", "blur")],
)
