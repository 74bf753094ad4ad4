"""`distxml tune`: a search over the settings of a recipe."""

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from distxml.cli.train import Overrides

if TYPE_CHECKING:
    from distxml.config.sweep import SweepSettings
    from distxml.tuning.driver import PreparedSweep

EXAMPLE = "Example: distxml tune polygons budget.trials=8 phases.joint.epochs=10"

FIRST_SAMPLES = 5


def tune(
    file: Annotated[str, typer.Argument(help="A YAML file, or a packaged sweep: imagenet_hvz, nih_nci, polygons.")],
    overrides: Overrides = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the space, the first samples and what fits, without training.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Continue a sweep that was interrupted.")] = False,
) -> None:
    """Search settings with Ray Tune; phases that trials share are trained once.

    A.B=C changes the sweep (`budget.trials=8`) or, by the name of a recipe's setting, all of its trials.
    """
    from distxml.config.sweep.load import load_sweep
    from distxml.tuning.driver import prepare

    sweep = load_sweep(file, overrides or [])
    prepared = prepare(sweep, file)
    if dry_run:
        _show(prepared)
    else:
        _tune(prepared, resume)


def _tune(prepared: "PreparedSweep", resume: bool) -> None:
    from distxml.report.sweep.report import write_sweep_report
    from distxml.tuning.driver import tune as run_sweep
    from distxml.tuning.leaderboard import Leaderboard
    from distxml.tuning.objective import Objective
    from distxml.tuning.plan import SweepPlan
    from distxml.tuning.results import best_trials, saved_line

    objective, folder = Objective(prepared.sweep.objective), prepared.folder
    most = SweepPlan(prepared.sweep, prepared.base, []).max_trials()
    with Leaderboard(objective, most) as board:
        records = run_sweep(prepared, resume, board)
    if board.console.is_terminal:
        board.console.print(board.table())
    typer.echo(f"{len(records)} trials: {saved_line(records)}")
    typer.echo(f"{folder.table}")
    typer.echo(f"{write_sweep_report(folder)}")
    best = best_trials(records, objective)
    if not best:
        typer.echo("no trial has finished: there is no best recipe")
        raise typer.Exit(1)
    several = objective.settings.is_multiple
    for place, record in enumerate(best, start=1):
        path = folder.best(place if several else None)
        typer.echo(f"next: distxml train {shlex.quote(str(path))}  # trial {record.number}")


def _show(prepared: "PreparedSweep") -> None:
    from distxml.tuning.driver import fitting
    from distxml.tuning.plan import NoTrial, SweepPlan
    from distxml.tuning.records import TrialRecord
    from distxml.tuning.results import settings_in_words

    sweep, base = prepared.sweep, prepared.base
    plan = SweepPlan(sweep, base, [])
    typer.echo(f"objective: {plan.objective.in_words()}")
    for step, parameters in enumerate(sweep.all_steps, start=1):
        typer.echo(f"step {step} of {len(sweep.all_steps)}: {sweep.search.kind}" if sweep.steps else "space:")
        for name, parameter in parameters.items():
            typer.echo(f"  {name}: {parameter.in_words()}")
    typer.echo(f"trials: at most {plan.max_trials()}" + _minutes(sweep))
    for number in range(FIRST_SAMPLES):
        proposal = plan.next()
        if isinstance(proposal, NoTrial):
            break
        plan.add(TrialRecord(number=number, step=proposal.step, settings=proposal.settings))
        typer.echo(f"  trial {number}: {settings_in_words(plan.records[-1])}")
    scaling = base.scaling
    gpus = f" and {scaling.gpus_per_worker:g} GPUs" if scaling.gpus_per_worker else ""
    typer.echo(
        f"a trial: {scaling.workers} workers of {scaling.cpus_per_worker} CPUs{gpus}, and a process that reserves none"
    )
    fit = fitting(scaling)
    at_once = min(fit, sweep.concurrency or fit)
    typer.echo(f"cluster: {fit} trials fit; {at_once} would train at once")
    typer.echo(f"shared phases: {sweep.store if sweep.share_phases else 'none'}")
    typer.echo(f"sweep: would go to {prepared.folder.path}; nothing was written")


def _minutes(sweep: "SweepSettings") -> str:
    return "" if sweep.budget.minutes is None else f", {sweep.budget.minutes:g} minutes"
