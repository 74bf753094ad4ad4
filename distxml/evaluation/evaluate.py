"""The evaluator on Ray: a pool of actors, each with the model, reads images, scores them and writes finished rows.

Rows that an earlier evaluation has finished are not computed again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from distxml.cluster import connect
from distxml.config.evaluation import Scoring
from distxml.config.recipe import Recipe
from distxml.config.run_folder import RunFolder
from distxml.evaluation.other_gate import under_other_gate
from distxml.evaluation.prepare import Evaluation, depends_on, fingerprint, prepare
from distxml.evaluation.results import Results, store
from distxml.evaluation.statistics.summarize import OtherGateCurves, summarize
from distxml.evaluation.summary import Summary
from distxml.evaluation.workers.journal import FinishedRows, RowJournal, collect, collect_methods
from distxml.evaluation.workers.pool import Notify, Pool
from distxml.evaluation.workers.tasks import Task, curve_tasks, remaining_tasks
from distxml.evaluation.workers.worker import Weights, WorkerInputs
from distxml.files import remove_unfinished
from distxml.locks import claimed
from distxml.signals import Interrupted, StopRequest, stop_requests
from distxml.storage.parts import StoredParts
from distxml.storage.stored_run import EVALUATION, StoredRun

ShowProgress = Callable[[int, int], None]
"""Called with (forward passes done, all forward passes)."""


@dataclass(frozen=True)
class RemainingWork:
    """What an evaluation still has to do.

    Attributes:
        evaluation: which one.
        journal: where finished rows are.
        finished: those rows.
        tasks: for the other rows; after its own those under the other gate.
        other: what it needs of the primary comparison under the other gate, without tasks of its own.
    """

    evaluation: Evaluation
    journal: RowJournal
    finished: FinishedRows
    tasks: list[Task]
    other: "RemainingWork | None" = None

    @property
    def parts(self) -> "list[RemainingWork]":
        """Itself and the other."""
        return [self] if self.other is None else [self, self.other]

    @property
    def passes(self) -> int:
        """Forward passes of all tasks."""
        return sum(task.passes for task in self.tasks)

    @property
    def f(self) -> Scoring:
        """What is scored."""
        return self.evaluation.recipe.evaluation.f

    def open(self) -> None:
        """Make the folders of rows."""
        for part in self.parts:
            part.journal.open(depends_on(part.evaluation))


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
    with claimed(run.evaluation_lock, f"run {run}", busy, "change its permissions or copy the run"):
        remove_unfinished(run.path, run.evaluation.name)
        remaining = remaining_work(run, evaluation)
        if remaining.tasks:  # workers that do not fit end the evaluation before anything is written
            connect(recipe.scaling.workers, recipe.scaling.cpus_per_worker, recipe.scaling.gpus_per_worker)
        run.begin(EVALUATION)
        remaining.open()
        for message in notes_on_finished(remaining):
            notify(message)
        if remaining.tasks:
            with stop_requests() as stop:
                score(remaining, show_progress, notify, stop)
            if stop.signal:
                raise Interrupted(interruption(run), 128 + stop.signal)
        finished = [part.journal.read() for part in remaining.parts]
        results = results_of(remaining, finished)
        store(results, run.evaluation)
        run.publish(run.evaluation)
        run.upload(run.evaluation)
        for part, rows in zip(remaining.parts, finished, strict=True):
            part.journal.merge(rows)
    return results.summary


def results_of(remaining: RemainingWork, finished: Sequence[FinishedRows]) -> Results:
    """Tables and summary of all rows, one of each part's journal."""
    evaluation = remaining.evaluation
    images, heatmaps, curves = collect(evaluation.plan, evaluation.label_of_key, finished[0])
    under_other = None
    if remaining.other is not None:
        other = remaining.other.evaluation
        under_other = OtherGateCurves(other, collect_methods(other.plan, finished[1])[1])
    return Results(summarize(evaluation, images, heatmaps, curves, under_other), images, heatmaps, curves)


def remaining_work(run: RunFolder, evaluation: Evaluation) -> RemainingWork:
    """Compare the plan with the finished rows; writes nothing."""
    own, keys = _finished(run, evaluation), list(evaluation.label_of_key)
    tasks = remaining_tasks(evaluation.spec, keys, own.finished)
    under_other = under_other_gate(evaluation)
    if under_other is None:
        return replace(own, tasks=tasks)
    other = _finished(run, under_other)
    more = curve_tasks(under_other.spec, keys, other.finished.pairs)
    return replace(own, tasks=[*tasks, *(replace(task, part=1) for task in more)], other=other)


def _finished(run: RunFolder, evaluation: Evaluation) -> RemainingWork:
    """What is done, not yet what is to be done."""
    folder = run.evaluation_rows / fingerprint(evaluation)
    stored = StoredParts(run.named(folder)) if isinstance(run, StoredRun) else None
    journal = RowJournal(folder.resolve(), stored)
    return RemainingWork(evaluation, journal, journal.read(), [])


def notes_on_finished(remaining: RemainingWork) -> list[str]:
    """What the user should know about rows that an earlier evaluation has written."""
    damaged = [
        f"{part.journal.named(name)} is damaged or is not from this evaluation; its rows are computed again"
        for part in remaining.parts
        for name in part.finished.damaged
    ]
    names = ["", *(f" of the primary comparison under {part.f}" for part in remaining.parts[1:])]
    reused = [note for part, name in zip(remaining.parts, names, strict=True) for note in _reused(part, name)]
    return [*damaged, *reused]


def _reused(part: RemainingWork, name: str) -> list[str]:
    """A line where some rows of the plan are there."""
    plan = part.evaluation.plan
    wanted = [(key, method) for key in plan.curve_keys for method in plan.methods]
    found = len(part.finished.pairs.intersection(wanted))
    note = f"{found} of {len(wanted)} heatmaps and their curves{name} were finished before and are reused"
    return [note] if found else []


def interruption(run: RunFolder) -> str:
    """What the user reads after Ctrl-C or SIGTERM."""
    return f"interrupted; the same command resumes it: run {run}"


def score(remaining: RemainingWork, show_progress: ShowProgress, notify: Notify, stop: StopRequest) -> None:
    """Do every task on the connected Ray, until all are done or a stop is requested; writes rows into the journal.

    Args:
        remaining: the tasks.
        show_progress: called after each task.
        notify: called with what the user should know.
        stop: asked before each task.
    """
    passes = 0
    inputs = [worker_inputs(part.evaluation, part.journal) for part in remaining.parts]
    pool = Pool(inputs, list(remaining.evaluation.label_of_key), notify, stop)
    for task in pool.run(remaining.tasks):
        passes += task.passes
        show_progress(passes, remaining.passes)


def worker_inputs(evaluation: Evaluation, journal: RowJournal) -> WorkerInputs:
    """What every worker needs."""
    scored = Weights(evaluation.checkpoint, evaluation.scored.sha256)
    explainer = Weights(evaluation.explainer_checkpoint, evaluation.scored.explainer_sha256)
    return WorkerInputs(evaluation.spec, evaluation.dataset.sha256, scored, explainer, journal)
