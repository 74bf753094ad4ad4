"""Splits the remaining work of a plan into tasks.

Tasks are small, so that a worker that dies loses little, and so that all workers finish at about the same time.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from distxml.attribution.methods import METHODS
from distxml.config.evaluation import Method
from distxml.evaluation.scoring.plan import ScoringPlan, ScoringSpec, points
from distxml.evaluation.workers.journal import FinishedRows

TASKS_PER_WORKER = 16
"""At least this many, where there is enough work: workers then finish at about the same time."""
PIXELS_PER_TASK = 1024 * 224 * 224
"""At most about this many perturbed pixels: about a minute on one CPU core with small networks, some with ResNets."""
MAX_IMAGES_PER_TASK = 256


@dataclass(frozen=True)
class Task:
    """Images, and the methods that are scored on each of them.

    Attributes:
        rows: indices of the images in the split, ascending.
        methods: in the order of the plan; empty: the clean pass of the images is computed.
        passes: forward passes, without those that compute heatmaps.
        part: which of the workers' inputs it is of.
    """

    rows: tuple[int, ...]
    methods: tuple[Method, ...]
    passes: int
    part: int = 0


@dataclass(frozen=True)
class _Unscored:
    """An image, and the methods that are not finished on it."""

    row: int
    methods: tuple[Method, ...]


def remaining_tasks(spec: ScoringSpec, keys: Sequence[str], finished: FinishedRows) -> list[Task]:
    """Tasks for all rows of the plan that are not finished; each image and method is in one task.

    Args:
        spec: of the evaluation.
        keys: of the split's images, in their order.
        finished: what the journal holds.
    """
    return [*curve_tasks(spec, keys, finished.pairs), *_clean_tasks(spec, keys, finished.image_keys)]


def curve_tasks(spec: ScoringSpec, keys: Sequence[str], scored: Collection[tuple[str, str]]) -> Iterator[Task]:
    """Heatmaps and curves of the images and methods that are not `scored`."""
    plan = spec.plan
    unscored = [
        _Unscored(row, tuple(method for method in plan.methods if (key, method) not in scored))
        for row, key in enumerate(keys)
        if key in plan.curve_keys
    ]
    unscored = [image for image in unscored if image.methods]
    total = sum(_work(spec, image.methods) for image in unscored)
    max_passes = PIXELS_PER_TASK // (spec.image_size[0] * spec.image_size[1])
    size = max(1, min(max_passes, total // (spec.recipe.scaling.workers * TASKS_PER_WORKER)))
    for methods, images in groupby(unscored, key=lambda image: image.methods):  # most often one group of all images
        yield from _split(spec, [image.row for image in images], methods, size)


def _clean_tasks(spec: ScoringSpec, keys: Sequence[str], described: Collection[str]) -> Iterator[Task]:
    """The clean pass of the images that are not `described`."""
    rows = [row for row, key in enumerate(keys) if key not in described]
    size = max(1, min(MAX_IMAGES_PER_TASK, len(rows) // (spec.recipe.scaling.workers * TASKS_PER_WORKER)))
    for images in _batches(rows, size):
        yield Task(images, (), len(images))


def _split(spec: ScoringSpec, rows: list[int], methods: tuple[Method, ...], size: int) -> Iterator[Task]:
    """Tasks of about `size` passes: several images per task, or several tasks per image where it takes more passes."""
    each = _work(spec, methods)
    if each <= size:
        for images in _batches(rows, max(1, size // each)):
            yield Task(images, methods, len(images) * _passes(spec.plan, methods))
        return
    for row in rows:
        for part in _parts(spec, methods, size):
            yield Task((row,), part, _passes(spec.plan, part))


def _parts(spec: ScoringSpec, methods: tuple[Method, ...], size: int) -> Iterator[tuple[Method, ...]]:
    part: tuple[Method, ...] = ()
    for method in methods:
        if part and _work(spec, (*part, method)) > size:
            yield part
            part = ()
        part = (*part, method)
    yield part


def _work(spec: ScoringSpec, methods: tuple[Method, ...]) -> int:
    """Forward passes of the curves of an image, and those that take about as long as its heatmaps do."""
    settings = spec.recipe.evaluation
    return _passes(spec.plan, methods) + sum(METHODS[method].passes_per_heatmap(settings) for method in methods)


def _passes(plan: ScoringPlan, methods: tuple[Method, ...]) -> int:
    return points(tuple(curve for curve in plan.curves if curve.method in methods), len(plan.fills))


def _batches(rows: list[int], size: int) -> Iterator[tuple[int, ...]]:
    for start in range(0, len(rows), size):
        yield tuple(rows[start : start + size])
