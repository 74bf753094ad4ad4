"""Cutting work into tasks: everything that is left, once, in pieces that are not too large."""

from collections import Counter
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from distxml.attribution.methods import METHODS
from distxml.config.evaluation import EvaluationSettings, Method
from distxml.evaluation.scoring.plan import ScoringSpec, make_plan, points
from distxml.evaluation.scoring.records import images_table, methods_table
from distxml.evaluation.workers.journal import FinishedRows
from distxml.evaluation.workers.tasks import (
    MAX_IMAGES_PER_TASK,
    PIXELS_PER_TASK,
    TASKS_PER_WORKER,
    Task,
    remaining_tasks,
)
from tests.unit.evaluation.small_model import small_recipe
from tests.unit.evaluation.some_records import image_record, method_record

Pairs = set[tuple[str, Method]]


def keys_of(images: int) -> list[str]:
    return [f"image {number}" for number in range(images)]


def spec_of(settings: EvaluationSettings, images: int, workers: int = 1, size: int = 48) -> ScoringSpec:
    plan = make_plan(settings, (size, size), {key: index % 3 for index, key in enumerate(keys_of(images))}, 0)
    return ScoringSpec(small_recipe(Path("nowhere"), settings, workers), plan, (size, size), None)


def finished(images: set[str], pairs: Pairs) -> FinishedRows:
    rows = [method_record(key, method) for key, method in sorted(pairs)]
    return FinishedRows(images_table([image_record(key) for key in sorted(images)]), methods_table(rows), (), ())


NOTHING = finished(set(), set())


def done_by(tasks: list[Task], images: int) -> tuple[list[str], list[tuple[str, Method]]]:
    """Keys that get their clean pass; keys and methods that get their curves."""
    keys = keys_of(images)
    clean = [keys[row] for task in tasks for row in task.rows if not task.methods]
    return clean, [(keys[row], method) for task in tasks for row in task.rows for method in task.methods]


def passes_of(spec: ScoringSpec, methods: tuple[Method, ...]) -> int:
    plan = spec.plan
    return points(tuple(curve for curve in plan.curves if curve.method in methods), len(plan.fills))


settings_of = st.builds(
    EvaluationSettings,
    methods=st.lists(st.sampled_from(METHODS.names()), unique=True, max_size=6).map(tuple),
    patch_sizes=st.lists(st.sampled_from([3, 8, 16, 48, 64]), unique=True, max_size=3).map(tuple),
    fills=st.lists(st.sampled_from(["black", "white", "blur"]), unique=True, max_size=3).map(tuple),
    orders=st.sampled_from([("morf",), ("lerf",), ("morf", "lerf"), ("lerf", "morf")]),
    steps=st.one_of(st.just("all"), st.integers(1, 300)),
    curve_images=st.one_of(st.none(), st.integers(1, 40)),
)


@given(data=st.data(), settings=settings_of, images=st.integers(1, 40), workers=st.integers(1, 70))
def test_everything_that_is_left_is_in_one_task_and_nothing_else(data, settings, images, workers):
    spec, keys = spec_of(settings, images, workers), keys_of(images)
    wanted = {(key, method) for key in spec.plan.curve_keys for method in spec.plan.methods}
    described = data.draw(st.sets(st.sampled_from(keys)))
    scored = data.draw(st.sets(st.tuples(st.sampled_from(keys), st.sampled_from(METHODS.names()))))
    tasks = remaining_tasks(spec, keys, finished(described, scored))
    clean, curves = done_by(tasks, images)
    assert Counter(clean) == Counter(set(keys) - described)
    assert Counter(curves) == Counter(wanted - scored)
    for task in tasks:
        assert list(task.rows) == sorted(task.rows)
        assert [method for method in spec.plan.methods if method in task.methods] == list(task.methods)
        each = passes_of(spec, task.methods) if task.methods else 1
        assert task.passes == len(task.rows) * each
        assert task.methods or len(task.rows) <= MAX_IMAGES_PER_TASK


@given(settings=settings_of, images=st.integers(1, 300), workers=st.integers(1, 70), size=st.sampled_from([64, 512]))
def test_no_task_is_larger_than_its_share_or_one_methods_curves_of_an_image(settings, images, workers, size):
    spec = spec_of(settings, images, workers, size)
    tasks = remaining_tasks(spec, keys_of(images), NOTHING)
    curves = [task for task in tasks if task.methods]
    total = len(spec.plan.curve_keys) * work_of(spec, spec.plan.methods)
    share = max(1, min(PIXELS_PER_TASK // size**2, total // (workers * TASKS_PER_WORKER)))
    for task in curves:
        work = len(task.rows) * work_of(spec, task.methods)
        assert work <= share or (len(task.rows) == 1 and len(task.methods) == 1)


def work_of(spec: ScoringSpec, methods: tuple[Method, ...]) -> int:
    """Curves and heatmaps of an image: those of RISE alone are a thousand passes."""
    heatmaps = (METHODS[method].passes_per_heatmap(spec.recipe.evaluation) for method in methods)
    return passes_of(spec, methods) + sum(heatmaps)


def test_all_done_is_nothing_to_do():
    spec = spec_of(EvaluationSettings(patch_sizes=(8,)), 5)
    scored: Pairs = {(key, method) for key in keys_of(5) for method in spec.plan.methods}
    assert remaining_tasks(spec, keys_of(5), finished(set(keys_of(5)), scored)) == []


def test_a_new_method_is_all_that_is_done():
    spec = spec_of(EvaluationSettings(patch_sizes=(8,), methods=("in_model", "otsu", "random")), 5)
    scored: Pairs = {(key, method) for key in keys_of(5) for method in ("in_model", "random")}
    tasks = remaining_tasks(spec, keys_of(5), finished(set(keys_of(5)), scored))
    assert done_by(tasks, 5) == ([], [(key, "otsu") for key in keys_of(5)])


def test_workers_get_many_tasks_each_where_there_is_enough_to_do():
    spec = spec_of(EvaluationSettings(methods=("in_model", "random")), 1000, workers=4)
    assert len(remaining_tasks(spec, keys_of(1000), NOTHING)) >= 2 * 4 * TASKS_PER_WORKER


def test_one_large_image_is_cut_by_methods():
    spec = spec_of(EvaluationSettings(methods=("in_model", "otsu", "canny")), 1, size=512)
    curves = [task for task in remaining_tasks(spec, keys_of(1), NOTHING) if task.methods]
    assert [task.methods for task in curves] == [("in_model",), ("otsu",), ("canny",)]
