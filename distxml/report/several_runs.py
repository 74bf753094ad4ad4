"""What the page says of several runs, and that it says so of one alone where there are no others."""

import shlex

from distxml.config.run_folder import RunFolder
from distxml.errors import UserError
from distxml.evaluation.p_values import p_value
from distxml.evaluation.several_runs.record import NO_INTERVAL, ComparisonOverRuns, SeveralRuns
from distxml.evaluation.several_runs.store import load_several
from distxml.evaluation.statistics.crossed import MIN_RUNS
from distxml.report.style import method_name
from distxml.report.verdict import OTHER_GATES, OUTCOMES, Tile
from distxml.report.wording import interval, number, signed, size


def open_several(run: RunFolder) -> tuple[SeveralRuns | None, list[str]]:
    """What was found over this run and others; or why it is not shown."""
    try:
        return load_several(run), []
    except UserError as error:
        return None, [f"Several runs are not shown: {error}."]


def scope(several: SeveralRuns | None, run: RunFolder) -> str:
    """What the figures of this run speak of."""
    if several is not None:
        return "These figures speak of this one trained model; what holds over several runs stands below."
    return (
        "These figures speak of this one trained model alone: another training with the same settings gives others. To "
        "say something about the training itself, train with other seeds and evaluate them together: "
        f"distxml evaluate {shlex.quote(str(run))} RUN RUN."
    )


def about(several: SeveralRuns) -> list[str]:
    """How many runs and images, and what the intervals are of."""
    lines = [
        f"{len(several.runs)} runs of one recipe, trained from other seeds, each scored on the same "
        f"{size(several.images, several.groups)}; {size(several.curve_images, several.curve_groups)} are perturbed."
    ]
    if few(several):
        return [*lines, f"Fewer than {MIN_RUNS} runs are too few for an interval or a verdict: these are their values."]
    return [
        *lines,
        "Intervals are of 95% and hold for a new training run and new images (patients) together; those of the other "
        "sections hold for new images alone. All runs were trained on the same data, and a kind of training that is "
        "rarer than one in as many runs (one that fails) may not be among them.",
    ]


def primary_tiles(several: SeveralRuns) -> list[Tile]:
    """The primary comparison over runs, and the same under the other gate; none where there is none."""
    row, under = several.primary, several.primary_under_other_gate
    if row is None or row.value is None:
        return []
    spread = interval(row.low, row.high)
    late = "" if several.primary_is_of_recipe else "not as the runs’ recipe names it"
    found = [f"{spread} (95%)" if spread else "", p_value(row.p), _each(row), late]
    tiles = [_tile(several, row, f"{_outcome(several, row)}over", found)]
    if under:
        why = "" if few(several) else NO_INTERVAL
        own = [f"SD {number(under.comparison.spread)}", _each(under.comparison), why]
        tiles.append(_tile(several, under.comparison, f"{OTHER_GATES[under.f]}, over", own))
    return tiles


def few(several: SeveralRuns) -> bool:
    """Whether there are too few runs for intervals and verdicts."""
    return len(several.runs) < MIN_RUNS


def _outcome(several: SeveralRuns, row: ComparisonOverRuns) -> str:
    """Nothing where there is no verdict because of the number of runs."""
    if row.verdict is None:
        return "" if few(several) else "not tested "
    return f"{OUTCOMES[row.verdict]} "


def _tile(several: SeveralRuns, row: ComparisonOverRuns, before: str, notes: list[str]) -> Tile:
    name = f"{before} {len(several.runs)} runs: {method_name(row.method)} against {method_name(row.other)}"
    return Tile(name, signed(row.value or 0.0), "; ".join(filter(None, notes)))


def _each(row: ComparisonOverRuns) -> str:
    return f"each run: {', '.join(number(value) for value in row.of_runs)}"
