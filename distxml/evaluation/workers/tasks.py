"""Cutting what is left of a plan into tasks: so small that little is lost with one, and that workers end together."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from distxml.config.evaluation import Method
from distxml.evaluation.scoring.plan import Plan, ScoringSpec, points
from distxml.evaluation.workers.journal import Finished

TASKS_PER_WORKER = 16
"""At least so many, where there is enough to do: workers are then equally busy to the end."""
PIXELS_PER_TASK = 1024 * 224 * 224
"""At most about so many perturbed pixels: a minute or so of one CPU core with small networks, minutes with ResNets."""
MAX_IMAGES_PER_TASK = 256


@dataclass(frozen=True)
class Task:
    """Images, and the methods that are scored on each of them.

    Attributes:
        rows: indices of the images in the split, ascending.
        methods: in the order of the plan; empty: the images get their clean pass.
        passes: forward passes, those that make the heatmaps left out.
    """

    rows: tuple[int, ...]
    methods: tuple[Method, ...]
    passes: int


@dataclass(frozen=True)
class _Left:
    """What is left to do on one image."""

    row: int
    methods: tuple[Method, ...]


def open_tasks(brief: ScoringSpec, keys: Sequence[str], finished: Finished) -> list[Task]:
    """Everything of the plan that is not finished, each image and method in one task.

    Args:
        brief: of the evaluation.
        keys: of the split's images, in their order.
        finished: what the journal holds.
    """
    plan, workers = brief.plan, brief.recipe.scaling.workers
    described, scored = finished.image_keys, finished.pairs
    left = [_Left(row, _methods_left(plan, key, scored)) for row, key in enumerate(keys) if key in plan.curve_keys]
    left = [image for image in left if image.methods]
    total = sum(_passes(plan, image.methods) for image in left)
    most = PIXELS_PER_TASK // (brief.image_size[0] * brief.image_size[1])
    size = max(1, min(most, total // (workers * TASKS_PER_WORKER)))
    tasks = [task for methods, images in _same_methods(left) for task in _cut(plan, images, methods, size)]
    clean = [row for row, key in enumerate(keys) if key not in described]
    images_a_task = max(1, min(MAX_IMAGES_PER_TASK, len(clean) // (workers * TASKS_PER_WORKER)))
    return tasks + [Task(rows, (), len(rows)) for rows in _batches(clean, images_a_task)]


def _methods_left(plan: Plan, key: str, scored: Collection[tuple[str, str]]) -> tuple[Method, ...]:
    return tuple(method for method in plan.methods if (key, method) not in scored)


def _same_methods(left: list[_Left]) -> Iterator[tuple[tuple[Method, ...], list[int]]]:
    """Neighbours that lack the same methods; most often all of them do."""
    for methods, images in groupby(left, key=lambda image: image.methods):
        yield methods, [image.row for image in images]


def _cut(plan: Plan, rows: list[int], methods: tuple[Method, ...], size: int) -> Iterator[Task]:
    """Tasks of about `size` passes: several images each, or parts of an image's methods where one is more than that."""
    each = _passes(plan, methods)
    if each <= size:
        for images in _batches(rows, max(1, size // each)):
            yield Task(images, methods, len(images) * each)
        return
    for row in rows:
        for part in _parts(plan, methods, size):
            yield Task((row,), part, _passes(plan, part))


def _parts(plan: Plan, methods: tuple[Method, ...], size: int) -> Iterator[tuple[Method, ...]]:
    part: tuple[Method, ...] = ()
    for method in methods:
        if part and _passes(plan, (*part, method)) > size:
            yield part
            part = ()
        part = (*part, method)
    yield part


def _passes(plan: Plan, methods: tuple[Method, ...]) -> int:
    return points(tuple(curve for curve in plan.curves if curve.method in methods), len(plan.fills))


def _batches(rows: list[int], size: int) -> Iterator[tuple[int, ...]]:
    for start in range(0, len(rows), size):
        yield tuple(rows[start : start + size])
