"""The evaluator on Ray: tasks go to a pool of actors that each hold the model, read their images, and write their rows.

What an earlier evaluation has finished is not done again.
"""

from collections.abc import Callable
from dataclasses import dataclass

from distxml.cluster import connect
from distxml.config.recipe import Recipe
from distxml.config.run_folder import RunFolder
from distxml.evaluation.prepare import Evaluation, depends_on, fingerprint, prepare
from distxml.evaluation.results import Results, store
from distxml.evaluation.statistics.summarize import summarize
from distxml.evaluation.summary import Summary
from distxml.evaluation.workers.journal import Finished, Journal, collect
from distxml.evaluation.workers.pool import Pool, Tell
from distxml.evaluation.workers.tasks import Task, open_tasks
from distxml.evaluation.workers.worker import Weights, Work
from distxml.files import remove_unfinished
from distxml.locks import claimed
from distxml.signals import Interrupted, StopRequest, stop_requests

ShowProgress = Callable[[int, int], None]
"""Called with (forward passes done, forward passes that there are to do)."""


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
        Interrupted: Ctrl-C or SIGTERM.
    """
    evaluation = prepare(run, recipe)
    busy = "another process is evaluating it; wait for it"
    with claimed(run.evaluation_lock, f"run {run.path}", busy, "change its permissions or copy the run"):
        remove_unfinished(run.path, run.evaluation.name)
        left = what_is_left(run, evaluation)
        if left.tasks:  # what cannot run stops us before anything is written
            connect(recipe.scaling.workers, recipe.scaling.cpus_per_worker, recipe.scaling.gpus_per_worker)
        left.journal.open(depends_on(evaluation))
        for message in what_was_found(evaluation, left):
            tell(message)
        if left.tasks:
            with stop_requests() as stop:
                score(evaluation, left, show_progress, tell, stop)
            if stop.signal:
                raise Interrupted(interruption(run), 128 + stop.signal)
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


def interruption(run: RunFolder) -> str:
    """What the user is told of one."""
    return f"interrupted; the same command goes on from there: run {run.path}"


def score(evaluation: Evaluation, left: Left, show_progress: ShowProgress, tell: Tell, stop: StopRequest) -> None:
    """Do every task on the Ray that is joined, unless somebody asks to stop; their rows are then in the journal."""
    passes = 0
    for task in Pool(work_of(evaluation, left.journal), list(evaluation.label_of_key), tell, stop).run(left.tasks):
        passes += task.passes
        show_progress(passes, left.passes)


def work_of(evaluation: Evaluation, journal: Journal) -> Work:
    """What the workers are told."""
    scored = Weights(evaluation.checkpoint, evaluation.scored.sha256)
    explainer = Weights(evaluation.explainer_checkpoint, evaluation.scored.explainer_sha256)
    return Work(evaluation.brief, scored, explainer, journal)
