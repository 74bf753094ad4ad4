"""The evaluator on Ray: tasks go to a pool of actors that each hold the model, and write their rows down themselves.

The actors read their images themselves, so there are no read tasks for a pool that takes every CPU to starve. Ray Data
replaces an actor that dies and gives its tasks to another.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import ray.data
from filelock import FileLock, Timeout

from distxml.cluster import connect
from distxml.config.recipe import Recipe
from distxml.config.run_folder import RunFolder
from distxml.errors import UserError
from distxml.evaluation.collect import collect
from distxml.evaluation.fingerprint import depends_on, fingerprint
from distxml.evaluation.journal import Finished, Journal
from distxml.evaluation.prepare import Evaluation, prepare
from distxml.evaluation.results import Results
from distxml.evaluation.store import store
from distxml.evaluation.summarize import summarize
from distxml.evaluation.summary import Summary
from distxml.evaluation.tasks import Task, open_tasks
from distxml.evaluation.worker import ScoringWorker, Weights, Work

ShowProgress = Callable[[int, int], None]
"""Called with (forward passes done, forward passes that there are to do)."""
Tell = Callable[[str], None]
"""Called with what the user should know."""


@dataclass(frozen=True)
class Left:
    """What an evaluation has left to do.

    Attributes:
        journal: where finished rows lie.
        finished: those that are there.
        tasks: for the others.
    """

    journal: Journal
    finished: Finished
    tasks: list[Task]

    @property
    def passes(self) -> int:
        """Forward passes of all tasks."""
        return sum(task.passes for task in self.tasks)


def evaluate_run(
    run: RunFolder,
    recipe: Recipe,
    show_progress: ShowProgress = lambda done, total: None,
    tell: Tell = lambda message: None,
) -> Summary:
    """Score a split with one of the run's checkpoints and write the results into the run's folder.

    Rows that an earlier evaluation has finished, interrupted or not, are taken as they are.

    Args:
        run: a folder that `distxml train` made.
        recipe: the run's, perhaps with other evaluation, scaling and dataset settings.
        show_progress: told how many forward passes are done.
        tell: told what was found.

    Raises:
        UserError: see `prepare`; or the workers do not fit on the cluster, an image or a heatmap is unusable, or
            another process evaluates this run.
    """
    evaluation = prepare(run, recipe)
    with _alone(run):
        left = what_is_left(run, evaluation)
        left.journal.open(depends_on(evaluation))
        for message in what_was_found(evaluation, left):
            tell(message)
        if left.tasks:
            score(evaluation, left, show_progress)
        finished = left.journal.read()
        images, heatmaps, curves = collect(evaluation.plan, evaluation.label_of_key, finished)
        summary = summarize(evaluation, images, heatmaps, curves)
        store(Results(summary, images, heatmaps, curves), run.evaluation)
        left.journal.merge(finished)
    return summary


def what_is_left(run: RunFolder, evaluation: Evaluation) -> Left:
    """Compare the plan with the rows that are there; writes nothing."""
    journal = Journal(run.evaluation_rows.resolve() / fingerprint(evaluation))
    finished = journal.read()
    return Left(journal, finished, open_tasks(evaluation.brief, list(evaluation.label_of_key), finished))


def what_was_found(evaluation: Evaluation, left: Left) -> list[str]:
    """What the user should know of rows that are there already."""
    damaged = [
        f"{left.journal.folder / name} is damaged or was put there; its rows are made again"
        for name in left.finished.damaged
    ]
    plan = evaluation.plan
    wanted = [(key, method) for key in plan.curve_keys for method in plan.methods]
    found = len(left.finished.pairs.intersection(wanted))
    taken = f"{found} of {len(wanted)} heatmaps and their curves were finished before and are taken as they are"
    return [*damaged, taken] if found else damaged


def score(evaluation: Evaluation, left: Left, show_progress: ShowProgress) -> None:
    """Do every task; their rows are in the journal when this returns."""
    scaling = evaluation.recipe.scaling
    connect(scaling.workers, scaling.cpus_per_worker, scaling.gpus_per_worker)
    _set_up_ray_data()
    done = ray.data.from_arrow([_as_block(task) for task in left.tasks]).map_batches(
        ScoringWorker,  # pyright: ignore[reportArgumentType]
        fn_constructor_args=(work_of(evaluation, left.journal),),
        compute=ray.data.ActorPoolStrategy(size=scaling.workers, max_tasks_in_flight_per_actor=2),
        batch_size=None,
        batch_format="pyarrow",
        num_cpus=scaling.cpus_per_worker,
        num_gpus=scaling.gpus_per_worker,
    )
    passes = 0
    try:
        for part in done.iter_batches(batch_size=None, batch_format="pyarrow"):
            passes += pc.sum(part["passes"]).as_py()
            show_progress(passes, left.passes)
    except Exception as error:
        raise _users_own(error) from None


def work_of(evaluation: Evaluation, journal: Journal) -> Work:
    """What the workers are told."""
    scored = Weights(evaluation.checkpoint, evaluation.scored.sha256)
    explainer = Weights(evaluation.explainer_checkpoint, evaluation.scored.explainer_sha256)
    return Work(evaluation.brief, scored, explainer, journal)


@contextmanager
def _alone(run: RunFolder) -> Iterator[None]:
    lock = FileLock(run.evaluation_lock, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise UserError(f"run {run.path}: another process is evaluating it; wait for it") from None
    try:
        yield
    finally:
        lock.release()


def _as_block(task: Task) -> pa.Table:
    return pa.table(
        {
            "rows": pa.array([list(task.rows)], pa.list_(pa.int64())),
            "methods": pa.array([list(task.methods)], pa.list_(pa.string())),
            "passes": pa.array([task.passes], pa.int64()),
        }
    )


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
