"""The evaluator on Ray: a pool of actors, each with the model, reads images, scores them and writes finished rows.

Rows that an earlier evaluation has finished are not computed again.
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
from distxml.evaluation.workers.journal import FinishedRows, RowJournal, collect
from distxml.evaluation.workers.pool import Notify, Pool
from distxml.evaluation.workers.tasks import Task, remaining_tasks
from distxml.evaluation.workers.worker import Weights, WorkerInputs
from distxml.files import remove_unfinished
from distxml.locks import claimed
from distxml.signals import Interrupted, StopRequest, stop_requests

ShowProgress = Callable[[int, int], None]
"""Called with (forward passes done, all forward passes)."""


@dataclass(frozen=True)
class RemainingWork:
    """What an evaluation still has to do.

    Attributes:
        journal: where finished rows are.
        finished: those rows.
        tasks: for the other rows.
    """

    journal: RowJournal
    finished: FinishedRows
    tasks: list[Task]

    @property
    def passes(self) -> int:
        """Forward passes of all tasks."""
        return sum(task.passes for task in self.tasks)


def evaluate_run(
    run: RunFolder,
    recipe: Recipe,
    show_progress: ShowProgress = lambda done, total: None,
    notify: Notify = lambda message: None,
) -> Summary:
    """Score a split with one of the run's checkpoints and write the results into the run's folder.

    Rows that an earlier evaluation has finished, interrupted or not, are reused.

    Args:
        run: a folder that `distxml train` made.
        recipe: the run's, perhaps with other evaluation, scaling and dataset settings.
        show_progress: called as forward passes are done.
        notify: called with what the user should know.

    Raises:
        UserError: see `prepare`; or the workers do not fit on the cluster, an image or a heatmap is unusable, or
            another process evaluates this run.
        Interrupted: Ctrl-C or SIGTERM.
    """
    evaluation = prepare(run, recipe)
    busy = "another process is evaluating it; wait for it"
    with claimed(run.evaluation_lock, f"run {run.path}", busy, "change its permissions or copy the run"):
        remove_unfinished(run.path, run.evaluation.name)
        remaining = remaining_work(run, evaluation)
        if remaining.tasks:  # workers that do not fit end the evaluation before anything is written
            connect(recipe.scaling.workers, recipe.scaling.cpus_per_worker, recipe.scaling.gpus_per_worker)
        remaining.journal.open(depends_on(evaluation))
        for message in notes_on_finished(evaluation, remaining):
            notify(message)
        if remaining.tasks:
            with stop_requests() as stop:
                score(evaluation, remaining, show_progress, notify, stop)
            if stop.signal:
                raise Interrupted(interruption(run), 128 + stop.signal)
        finished = remaining.journal.read()
        images, heatmaps, curves = collect(evaluation.plan, evaluation.label_of_key, finished)
        summary = summarize(evaluation, images, heatmaps, curves)
        store(Results(summary, images, heatmaps, curves), run.evaluation)
        remaining.journal.merge(finished)
    return summary


def remaining_work(run: RunFolder, evaluation: Evaluation) -> RemainingWork:
    """Compare the plan with the finished rows; writes nothing."""
    journal = RowJournal(run.evaluation_rows.resolve() / fingerprint(evaluation))
    finished = journal.read()
    return RemainingWork(journal, finished, remaining_tasks(evaluation.spec, list(evaluation.label_of_key), finished))


def notes_on_finished(evaluation: Evaluation, remaining: RemainingWork) -> list[str]:
    """What the user should know about rows that an earlier evaluation has written."""
    damaged = [
        f"{remaining.journal.folder / name} is damaged or is not from this evaluation; its rows are computed again"
        for name in remaining.finished.damaged
    ]
    plan = evaluation.plan
    wanted = [(key, method) for key in plan.curve_keys for method in plan.methods]
    found = len(remaining.finished.pairs.intersection(wanted))
    reused = f"{found} of {len(wanted)} heatmaps and their curves were finished before and are reused"
    return [*damaged, reused] if found else damaged


def interruption(run: RunFolder) -> str:
    """What the user reads after Ctrl-C or SIGTERM."""
    return f"interrupted; the same command resumes it: run {run.path}"


def score(
    evaluation: Evaluation, remaining: RemainingWork, show_progress: ShowProgress, notify: Notify, stop: StopRequest
) -> None:
    """Do every task on the connected Ray, until all are done or a stop is requested; writes rows into the journal.

    Args:
        evaluation: what is scored.
        remaining: its tasks.
        show_progress: called after each task.
        notify: called with what the user should know.
        stop: asked before each task.
    """
    passes = 0
    pool = Pool(worker_inputs(evaluation, remaining.journal), list(evaluation.label_of_key), notify, stop)
    for task in pool.run(remaining.tasks):
        passes += task.passes
        show_progress(passes, remaining.passes)


def worker_inputs(evaluation: Evaluation, journal: RowJournal) -> WorkerInputs:
    """What every worker needs."""
    scored = Weights(evaluation.checkpoint, evaluation.scored.sha256)
    explainer = Weights(evaluation.explainer_checkpoint, evaluation.scored.explainer_sha256)
    return WorkerInputs(evaluation.spec, evaluation.dataset.sha256, scored, explainer, journal)
