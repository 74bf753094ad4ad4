"""Who is better than whom, over all patch sizes and fills together."""

from collections.abc import Sequence
from dataclasses import dataclass

from distxml.config.evaluation import Fill, Method, Order, Scoring
from distxml.evaluation.p_values import p_or_why
from distxml.evaluation.summary import Summary
from distxml.evaluation.summary_rows import AopcOverall, Comparison, Metric
from distxml.evaluation.verdict import Verdict as Outcome
from distxml.metrics.lookup import metric_entry
from distxml.report.style import ORDER_NAMES, method_name, without
from distxml.report.wording import interval, metric_interval, number, signed, size

HEADLINE_METRICS = ("accuracy", "roc_auc", "pompom", "heat_inside", "heat_outside")

OUTCOMES: dict[Outcome, str] = {"better": "clearly better", "worse": "clearly worse", "unclear": "not told apart"}
OTHER_GATES: dict[Scoring, str] = {
    "fixed": "with the heatmap of the untouched image kept (fixed)",
    "recompute": "with the heatmap made anew (recompute)",
}
"""The gate of the primary comparison that stands beside it."""
AGAINST_EACH: dict[Outcome, str] = {
    "better": "in-model heatmap clearly better than",
    "worse": "in-model heatmap clearly worse than",
    "unclear": "not told apart from",
}
AGAINST_RANDOM: dict[Outcome, str] = {
    "better": "clearly better than a random order",
    "worse": "clearly worse than a random order",
    "unclear": "not told apart from a random order",
}


@dataclass(frozen=True)
class Tile:
    """One figure that comes first: a name, its value, and its interval or what it is over."""

    name: str
    value: str
    note: str


@dataclass(frozen=True)
class Verdict:
    """With one order of the patches: how many methods came out how, one tile per outcome.

    Attributes:
        order: of the patches.
        tiles: over all patch sizes and fills.
    """

    order: Order
    tiles: list[Tile]


def headline_tiles(summary: Summary) -> list[Tile]:
    """The model's figures that come first; those that the evaluation could not compute are left out."""
    found = {metric.name: metric for metric in summary.metrics}
    shown = [found[name] for name in HEADLINE_METRICS if name in found and found[name].value is not None]
    return [_metric_tile(metric) for metric in shown]


def _metric_tile(metric: Metric) -> Tile:
    spread = metric_interval(metric)
    return Tile(metric_entry(metric.name).title, number(metric.value), f"{spread} (95%)" if spread else "")


def primary_tile(summary: Summary) -> Tile | None:
    """The primary comparison; None where the evaluation has none."""
    row = summary.primary
    if row is None:
        return None
    return _comparison_tile(summary, row, "")


def other_gate_tile(summary: Summary) -> Tile | None:
    """The primary comparison under the other gate; None where it was not made."""
    under = summary.primary_under_other_gate
    return None if under is None else _comparison_tile(summary, under.comparison, f"{OTHER_GATES[under.f]}: ")


def _comparison_tile(summary: Summary, row: Comparison, before: str) -> Tile:
    name = f"{before}{OUTCOMES[row.verdict]}: {method_name(row.method)} against {method_name(row.other)}"
    spread = interval(row.low, row.high)
    over = size(summary.curve_images, summary.curve_groups)
    note = "; ".join(filter(None, (f"{spread} (95%)" if spread else "", p_or_why(row), over)))
    return Tile(name, signed(row.difference), note)


def primary_in_words(summary: Summary) -> str:
    """What the primary comparison is, and who named it when."""
    wanted, row = summary.settings.primary, summary.primary
    pair = f"{method_name(wanted.method)} minus {method_name(wanted.other)}"
    where = wanted.in_words("px")
    if row is None:
        return (
            f"There is no primary comparison: {pair}, {where}, was not computed. All comparisons are adjusted for "
            "their number."
        )
    named = (
        "as the run’s recipe names it"
        if summary.primary_is_of_recipe
        else "not as the run’s recipe names it: it, or what it is measured by, was chosen for this evaluation"
    )
    return f"Primary comparison: AOPC of {pair}, {where}, {ORDER_NAMES[row.order]}; {named}."


def verdicts(summary: Summary) -> list[Verdict]:
    """Of each order: the in-model heatmap against every other method, or else every method against a random order."""
    found: dict[Order, list[Tile]] = {order: outcome_tiles(summary, order, None) for order in summary.settings.orders}
    return [Verdict(order, tiles) for order, tiles in found.items() if tiles]


def outcome_tiles(summary: Summary, order: Order, fill: Fill | None) -> list[Tile]:
    """How many methods came out how, over all patch sizes (and fills); none where nothing was compared."""
    if rows := against_each(summary, order, fill):
        return _tiles(rows, AGAINST_EACH, [row.other for row in rows])
    rows = against_random(summary, order, fill)
    return _tiles(rows, AGAINST_RANDOM, [row.method for row in rows]) if rows else []


def several_fills(summary: Summary) -> list[Fill]:
    """The fills where there are several: each asks a question of its own."""
    fills: list[Fill] = list(dict.fromkeys(row.fill for row in summary.aopc))
    return fills if len(fills) > 1 else []


def questions_in_words(summary: Summary) -> str:
    """What a mean over all fills is, to be put behind it; nothing where there is one fill."""
    return " (a mean of different questions)" if several_fills(summary) else ""


def _tiles(rows: Sequence[Comparison], words: dict[Outcome, str], methods: Sequence[Method]) -> list[Tile]:
    tiles = []
    for outcome, name in words.items():
        such = [method_name(method) for row, method in zip(rows, methods, strict=True) if row.verdict == outcome]
        tiles.append(Tile(name, f"{len(such)} of {len(rows)}", ", ".join(such)))
    return tiles


def against_each(summary: Summary, order: Order, fill: Fill | None = None) -> list[Comparison]:
    """In-model minus every other method over all patch sizes (and fills), the most favourable to in-model first."""
    others = without(summary.settings.methods, "in_model")
    found = [summary.comparison("in_model", method, order, fill=fill) for method in others]
    return _favourable_first([row for row in found if row is not None], order)


def against_random(summary: Summary, order: Order, fill: Fill | None = None) -> list[Comparison]:
    """Every other method minus a random order over all patch sizes (and fills), the most favourable first."""
    others = without(summary.settings.methods, "random")
    found = [summary.comparison(method, "random", order, fill=fill) for method in others]
    return _favourable_first([row for row in found if row is not None], order)


def _favourable_first(rows: Sequence[Comparison], order: Order) -> list[Comparison]:
    return sorted(rows, key=lambda row: row.difference, reverse=order == "morf")


def ranked(summary: Summary, order: Order) -> list[AopcOverall]:
    """AOPC over all settings, the best first."""
    return sorted(summary.overall(order), key=lambda row: row.aopc, reverse=order == "morf")
