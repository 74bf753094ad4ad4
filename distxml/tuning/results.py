"""What a sweep leaves: the table of its trials, the best recipe or recipes, one row of HParams per trial."""

from typing import Any

import pandas as pd
from torch.utils.tensorboard.writer import SummaryWriter

from distxml.config import Recipe, to_yaml
from distxml.config.load import with_settings
from distxml.config.phases import PhaseName
from distxml.errors import UserError
from distxml.files import remove_unfinished, whole_file, whole_folder, write_whole
from distxml.monitoring.scalars import ScalarWriter, event_file, hparam_summaries
from distxml.tuning.objective import Objective, pareto_front
from distxml.tuning.records import SweepFolder, TrialRecord, searched_names, trial_name


def write_results(folder: SweepFolder, base: Recipe, records: list[TrialRecord], objective: Objective) -> None:
    """Write everything anew, from whatever trials there are.

    Args:
        folder: of the sweep.
        base: the recipe that trials differ from.
        records: all trials, by number.
        objective: what says which is best.
    """
    _write_tables(folder, records)
    _write_best(folder, base, records, objective)
    remove_unfinished(folder.tensorboard)  # TensorBoard would show it as a trial
    for record in records:
        if record.is_over:
            _write_hparams(folder, base, records, record)


def best_trials(records: list[TrialRecord], objective: Objective) -> list[TrialRecord]:
    """The best trial first of all; for several objectives the Pareto front, by its first metric. Only trials that have
    finished count."""
    scored = [(record, objective.score(record.metrics)) for record in records if record.status == "finished"]
    whole = [(record, value) for record, value in scored if value is not None]
    if objective.settings.is_multiple:
        front = pareto_front([value for _, value in whole])
        return [whole[i][0] for i in sorted(front, key=lambda i: whole[i][1].values, reverse=True)]
    return [max(whole, key=lambda one: one[1].score)[0]] if whole else []


def table(records: list[TrialRecord]) -> pd.DataFrame:
    """One row per trial: number, status, score, searched settings, metrics, epochs, what it saved."""
    settings = searched_names(records)
    metrics = list(dict.fromkeys(name for record in records for name in record.metrics))
    return pd.DataFrame([_row(record, settings, metrics) for record in records])


def _row(record: TrialRecord, settings: list[str], metrics: list[str]) -> dict[str, Any]:
    row: dict[str, Any] = {"trial": record.number, "step": record.step, "status": record.status, "score": record.score}
    row |= {name: record.settings.get(name) for name in settings}
    row |= {name: record.metrics.get(name) for name in metrics}
    row |= {f"epochs_{phase}": record.epochs[phase] for phase in PhaseName}
    return row | {
        "seconds": record.seconds,
        "saved_epochs": record.saved_epochs,
        "saved_seconds": record.saved_seconds,
        "reason": record.reason,
    }


def _write_tables(folder: SweepFolder, records: list[TrialRecord]) -> None:
    rows = table(records)
    write_whole(folder.table, rows.to_csv(index=False))
    mixed = [name for name in rows if rows[name].dtype == object]
    as_text = {name: rows[name].map(lambda value: None if value is None else str(value)) for name in mixed}
    with whole_file(folder.parquet) as file:
        rows.assign(**as_text).to_parquet(file)


def _write_best(folder: SweepFolder, base: Recipe, records: list[TrialRecord], objective: Objective) -> None:
    """Recipes that `distxml train` takes as they are: the run goes beside the sweep.

    Earlier ones are removed last, so that a process that is killed never leaves a sweep without its best recipe.
    """
    written = set()
    for place, record in enumerate(best_trials(records, objective), start=1):
        number = place if objective.settings.is_multiple else None
        name = f"{folder.path.name}-best" + (f"-{number}" if number else "")
        own = {"run.name": name, "run.folder": str(folder.path.parent)}
        recipe = with_settings(base, record.settings | own, f"trial {record.number}")
        metrics = ", ".join(f"{metric} {record.metrics[metric]:.4g}" for metric in objective.settings.names)
        heading = f"# Trial {record.number} of sweep {folder.path.name}: validation {metrics}.\n"
        write_whole(folder.best(number), heading + to_yaml(recipe))
        written.add(folder.best(number))
    for old in {folder.best(), *folder.path.glob("best_*.yaml")} - written:
        old.unlink(missing_ok=True)


def _write_hparams(folder: SweepFolder, base: Recipe, records: list[TrialRecord], record: TrialRecord) -> None:
    place = folder.tensorboard / trial_name(record.number)
    if place.exists():
        return
    values = {name: _setting(base, record, name) for name in searched_names(records)}
    metrics = record.metrics | ({} if record.score is None else {"score": record.score})
    tags = {name: f"trial/{name}" for name in metrics}
    with whole_folder(place) as fresh, SummaryWriter(str(fresh)) as writer:
        for summary in hparam_summaries(values, {tag: name for name, tag in tags.items()}):
            event_file(writer).add_summary(summary)
        scalars = ScalarWriter(writer)
        for name, tag in tags.items():
            scalars.add(name, metrics[name], record.all_epochs, tag)


def _setting(base: Recipe, record: TrialRecord, name: str) -> str | int | float | bool:
    """Of one trial; the recipe's own where the search did not set it. The plugin wants one type per column."""
    value: Any = record.settings.get(name)
    if name not in record.settings:
        value = base.model_dump(mode="json")
        try:
            for part in name.split("."):
                value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, TypeError, IndexError) as error:
            raise UserError(f"trial {record.number}: {name} is no setting ({error})") from None
    return value if isinstance(value, str | int | float | bool) else str(value)


def settings_in_words(record: TrialRecord) -> str:
    """What the search chose, in a line."""
    return ", ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in record.settings.items()
    )


def over_line(record: TrialRecord, objective: Objective) -> str:
    """How a trial ended, in a line."""
    names = [name for name in objective.settings.names if name in record.metrics]
    metrics = ", ".join(f"{name} {record.metrics[name]:.4f}" for name in names)
    reason = f" ({record.reason})" if record.reason else ""
    taken = f", {record.saved_epochs} epochs taken from others" if record.saved_epochs else ""
    return f"trial {record.number} {record.status}{reason}" + (f": {metrics}" if metrics else "") + taken


def saved_line(records: list[TrialRecord]) -> str:
    """How much of the work was not done twice."""
    saved = sum(record.saved_epochs for record in records)
    trained = sum(record.all_epochs for record in records) - saved
    share = f" ({saved / (saved + trained):.0%} of all)" if saved else ""
    return f"{trained} phase-epochs trained, {saved} saved{share}"
