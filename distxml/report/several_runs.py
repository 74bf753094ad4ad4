"""What the page says of several runs, and that it says so of one alone where there are no others."""

import shlex

from distxml.config.run_folder import RunFolder
from distxml.errors import UserError
from distxml.evaluation.p_values import p_value
from distxml.evaluation.several_runs.record import SeveralRuns
from distxml.evaluation.several_runs.store import load_several
from distxml.evaluation.statistics.crossed import MIN_RUNS
from distxml.report.style import method_name
from distxml.report.verdict import OUTCOMES, Tile
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
        f"distxml evaluate {shlex.quote(str(run.path))} RUN RUN."
    )


def about(several: SeveralRuns) -> list[str]:
    """How many runs and images, and what the intervals are of."""
    lines = [
        f"{len(several.runs)} runs of one recipe, trained from other seeds, each scored on the same "
        f"{size(several.images, several.groups)}; {size(several.curve_images, several.curve_groups)} are perturbed."
    ]
    if len(several.runs) < MIN_RUNS:
        return [*lines, f"Fewer than {MIN_RUNS} runs are too few for an interval or a verdict: these are their values."]
    return [
        *lines,
        "Intervals are of 95% and hold for a new training run and new images (patients) together; those of the other "
        "sections hold for new images alone. All runs were trained on the same data, and a kind of training that is "
        "rarer than one in as many runs (one that fails) may not be among them.",
    ]


def primary_tile(several: SeveralRuns) -> Tile | None:
    """The primary comparison over runs; None where there is none."""
    row = several.primary
    if row is None or row.value is None:
        return None
    name = f"{OUTCOMES[row.verdict]} over {len(several.runs)} runs: {method_name(row.method)} against "
    spread = interval(row.low, row.high)
    each = ", ".join(number(value) for value in row.of_runs)
    late = "" if several.primary_is_of_recipe else "not as the runs’ recipe names it"
    note = "; ".join(filter(None, (f"{spread} (95%)" if spread else "", p_value(row.p), f"each run: {each}", late)))
    return Tile(f"{name}{method_name(row.other)}", signed(row.value), note)
