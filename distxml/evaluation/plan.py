"""What an evaluation will do: which curves, on which images, and how many forward passes that takes."""

from dataclasses import dataclass

from distxml.config.evaluation import EvaluationSettings, Fill, Method
from distxml.config.seeds import seed_from
from distxml.evaluation.patches import patch_count


@dataclass(frozen=True)
class Order:
    """One order of patches: that of a method, at a patch size."""

    method: Method
    patch_size: int
    steps: int
    """L: patches that are replaced, at most."""


@dataclass(frozen=True)
class Plan:
    """The curves of one image, and the images that get them."""

    orders: tuple[Order, ...]
    fills: tuple[Fill, ...]
    left_out_patch_sizes: tuple[int, ...]
    images: int
    """Images of the split."""
    curve_keys: frozenset[str]
    """Keys of the images that are perturbed."""

    @property
    def points(self) -> int:
        """Forward passes for the curves of one image; f(x(0)) is shared by all of them."""
        return 1 + len(self.fills) * sum(order.steps for order in self.orders)

    @property
    def passes(self) -> int:
        """Forward passes in all; those that make the heatmaps (two or three an image) are left out."""
        return self.images + len(self.curve_keys) * self.points


def make_plan(
    settings: EvaluationSettings, image_size: tuple[int, int], label_of_key: dict[str, int], seed: int
) -> Plan:
    """The plan for a split.

    Args:
        settings: what was asked for.
        image_size: height and width in pixels.
        label_of_key: label of every image of the split.
        seed: of the run.
    """
    kept = [size for size in settings.patch_sizes if size <= min(image_size)]
    orders = tuple(
        Order(method, size, min(settings.steps, patch_count(image_size, size)))
        for method in settings.methods
        for size in kept
    )
    left_out = tuple(size for size in settings.patch_sizes if size not in kept)
    drawn = frozenset(_draw(label_of_key, settings.curve_images, seed)) if orders and settings.fills else frozenset()
    return Plan(orders, settings.fills, left_out, len(label_of_key), drawn)


def _draw(label_of_key: dict[str, int], wanted: int | None, seed: int) -> list[str]:
    """A draw of `wanted` keys, stratified by class; it depends on (seed, keys, labels), not on their order."""
    if wanted is None or wanted >= len(label_of_key):
        return list(label_of_key)
    shuffled = sorted(label_of_key, key=lambda key: (seed_from("curve images", seed, key), key))
    of_class = {label: [key for key in shuffled if label_of_key[key] == label] for label in label_of_key.values()}
    sizes = _shares({label: len(keys) for label, keys in of_class.items()}, wanted)
    return [key for label, keys in of_class.items() for key in keys[: sizes[label]]]


def _shares(sizes: dict[int, int], wanted: int) -> dict[int, int]:
    """`wanted` divided in proportion to the sizes, by largest remainder; the smaller label wins a tie."""
    total = sum(sizes.values())
    shares = {label: wanted * size // total for label, size in sizes.items()}
    by_remainder = sorted(sizes, key=lambda label: (-(wanted * sizes[label] % total), label))
    for label in by_remainder[: wanted - sum(shares.values())]:
        shares[label] += 1
    return shares
