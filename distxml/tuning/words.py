"""Trials in words: for the terminal and the report."""

from distxml.tuning.judge import Judge
from distxml.tuning.records import TrialRecord


def settings_in_words(record: TrialRecord) -> str:
    """What the search chose, in a line."""
    return ", ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in record.settings.items()
    )


def over_line(record: TrialRecord, judge: Judge) -> str:
    """How a trial ended, in a line."""
    names = [name for name in judge.settings.names if name in record.metrics]
    metrics = ", ".join(f"{name} {record.metrics[name]:.4f}" for name in names)
    reason = f" ({record.reason})" if record.reason else ""
    taken = f", {record.saved_epochs} epochs taken from others" if record.saved_epochs else ""
    return f"trial {record.number} {record.status}{reason}" + (f": {metrics}" if metrics else "") + taken


def saved_line(records: list[TrialRecord]) -> str:
    """How much of the work was not done twice."""
    saved = sum(record.saved_epochs for record in records)
    trained = sum(sum(record.epochs) for record in records) - saved
    share = f" ({saved / (saved + trained):.0%} of all)" if saved else ""
    return f"{trained} phase-epochs trained, {saved} saved{share}"
