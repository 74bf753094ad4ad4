"""The evaluator on Ray: row ranges of the split go to a pool of actors that each hold the model.

The actors read their rows themselves, so there are no read tasks for a pool that takes every CPU to starve. Ray Data
replaces an actor that dies and gives its rows to another; rows come back in any order and are sorted by key.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import ray.data
import torch

from distxml.cluster import connect
from distxml.config.recipe import Recipe
from distxml.config.run_folder import RunFolder
from distxml.data.reader import SplitReader
from distxml.data.schema import open_dataset
from distxml.errors import UserError
from distxml.evaluation.image_record import split_table
from distxml.evaluation.plan import Plan
from distxml.evaluation.prepare import Evaluation, prepare
from distxml.evaluation.results import Results, Summary
from distxml.evaluation.scoring import ImageScorer
from distxml.evaluation.store import store
from distxml.evaluation.summarize import summarize
from distxml.models.checkpoint import load_model

ShowProgress = Callable[[int, int], None]
"""Called with (images done, images in all)."""

MOST_ROWS_A_TASK = 16
TASKS_A_WORKER = 8
"""Small tasks keep the workers equally busy to the end; images that get curves cost thousands of passes each."""


def evaluate_run(run: RunFolder, recipe: Recipe, show_progress: ShowProgress = lambda done, total: None) -> Summary:
    """Score a split with the run's phase-3 checkpoint and write the results into the run's folder.

    Args:
        run: a folder that `distxml train` made.
        recipe: the run's, perhaps with other evaluation, scaling and dataset settings.
        show_progress: told how many images are done.

    Raises:
        UserError: see `prepare`; or the workers do not fit on the cluster, or an image or a heatmap is unusable.
    """
    evaluation = prepare(run, recipe)
    scaling = recipe.scaling
    connect(scaling.workers, scaling.cpus_per_worker, scaling.gpus_per_worker)
    images, curves = split_table(score_split(evaluation, show_progress))
    results = Results(summarize(evaluation, images, curves), images, curves)
    store(results, run.evaluation)
    return results.summary


def score_split(evaluation: Evaluation, show_progress: ShowProgress) -> pa.Table:
    """Every row of the split, scored by the pool, in any order (`image_record.SCORED_SCHEMA`)."""
    _set_up_ray_data()
    recipe, total = evaluation.recipe, len(evaluation.label_of_key)
    tasks = _row_ranges(total, recipe.scaling.workers)
    scored = ray.data.from_arrow(tasks).map_batches(
        ScoringWorker,  # pyright: ignore[reportArgumentType]
        fn_constructor_args=(evaluation.checkpoint, recipe, evaluation.plan),
        compute=ray.data.ActorPoolStrategy(size=recipe.scaling.workers, max_tasks_in_flight_per_actor=2),
        batch_size=None,
        batch_format="pyarrow",
        num_cpus=recipe.scaling.cpus_per_worker,
        num_gpus=recipe.scaling.gpus_per_worker,
    )
    parts: list[pa.Table] = []
    try:
        for part in scored.iter_batches(batch_size=None, batch_format="pyarrow"):
            parts.append(part)
            show_progress(sum(part.num_rows for part in parts), total)
    except Exception as error:
        raise _users_own(error) from None
    return _complete(pa.concat_tables(parts), evaluation)


class ScoringWorker:
    """An actor of the pool: loads the model once, then scores row ranges."""

    def __init__(self, checkpoint: Path, recipe: Recipe, plan: Plan) -> None:
        torch.set_num_threads(recipe.scaling.cpus_per_worker)
        torch.backends.cudnn.allow_tf32 = False  # TF32 rounds to ten bits: results would depend on the batch size
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.deterministic = True
        dataset = open_dataset(recipe.dataset.path)
        self.reader = SplitReader(dataset, recipe.evaluation.split, recipe.dataset.cache)
        gpu = recipe.scaling.gpus_per_worker > 0 and torch.cuda.is_available()
        self.scorer = ImageScorer(load_model(checkpoint), recipe, plan, torch.device("cuda" if gpu else "cpu"))

    def __call__(self, tasks: pa.Table) -> pa.Table:
        """Row ranges to scored rows."""
        return pa.concat_tables([self._score(**task) for task in tasks.to_pylist()])

    def _score(self, start: int, stop: int) -> pa.Table:
        return self.scorer.score(list(self.reader.rows(start, stop)))


def _row_ranges(rows: int, workers: int) -> list[pa.Table]:
    """The split in pieces; each is a block of Ray Data."""
    size = min(MOST_ROWS_A_TASK, max(1, rows // (workers * TASKS_A_WORKER)))
    return [pa.table({"start": [start], "stop": [min(start + size, rows)]}) for start in range(0, rows, size)]


def _complete(scored: pa.Table, evaluation: Evaluation) -> pa.Table:
    """`scored`, once it is sure that every image came back exactly once."""
    keys: list[str] = scored["key"].to_pylist()
    if sorted(keys) != sorted(evaluation.label_of_key):
        raise RuntimeError(f"{len(keys)} rows came back for {len(evaluation.label_of_key)} images; nothing is written")
    return scored


def _set_up_ray_data() -> None:
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.raise_original_map_exception = True  # else a worker's UserError arrives without its text


def _users_own(error: BaseException) -> BaseException:
    """The `UserError` that a worker raised, if that is what is behind Ray's error; else that error."""
    waiting: list[Any] = [error]
    seen: set[int] = set()
    while waiting:
        link = waiting.pop()
        if isinstance(link, UserError):
            text = str(getattr(link, "cause", None) or link)
            return UserError(text.splitlines()[0])  # Ray adds lines of its own
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        waiting += [link.__cause__, link.__context__, getattr(link, "cause", None)]
    return error
