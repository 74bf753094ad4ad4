"""Tables with one row per method: AOPC over all settings, and agreement with the masks."""

from typing import get_args

from distxml.config.evaluation import Method, Order
from distxml.evaluation.p_values import p_or_why
from distxml.evaluation.summary import Summary
from distxml.evaluation.summary_rows import AopcOverall, Comparison, HeatmapMetric, HeatmapName, Metric, OrderGap
from distxml.metrics.entry import IN_WORDS
from distxml.metrics.lookup import AOPC_IN_WORDS, metric_entry
from distxml.report.style import ORDER_NAMES, method_name
from distxml.report.tables.table import NONE, Cell, NumberTable, TableRow
from distxml.report.verdict import questions_in_words, ranked
from distxml.report.wording import interval, number, percent, signed

CLEAR = (
    "Bold: clear, p below 0.05 and 0 outside the interval; the primary comparison by itself, all others adjusted for "
    "their number."
)
LOCALIZATION: tuple[HeatmapName, ...] = get_args(HeatmapName)


def overall_table(summary: Summary, order: Order) -> NumberTable:
    """AOPC over all settings, the best method first, and how it compares with `random` and with in-model."""
    rows = ranked(summary, order)
    about = (
        f"Mean AOPC over all {rows[0].settings} pairs of a patch size and a fill{questions_in_words(summary)}; "
        f"{AOPC_IN_WORDS[order]}. Times random: over the mean AOPC of the images’ own "
        "random orders, where that is clearly above 0: beside how steeply f falls whatever is replaced. Where random "
        "orders do much already, no method can be many times as good; so it is not compared between models either."
    )
    if summary.comparisons:
        about += (
            f" Differences are paired, image by image, with 95% intervals. {CLEAR} Settings: those of the "
            f"{rows[0].settings} where it is clearly better / clearly worse."
        )
    columns = [
        "AOPC",
        "times random",
        "minus random",
        "settings better / worse than random",
        "in-model minus it",
        "in-model wins",
        "settings in-model better / worse",
    ]
    lines = [
        TableRow(method_name(row.method), _overall_cells(summary, order, row), own=row.method == "in_model")
        for row in rows
    ]
    table = NumberTable(f"All settings together, {ORDER_NAMES[order]}", about, "Method", columns, lines)
    return table.without_empty_columns()


def _overall_cells(summary: Summary, order: Order, row: AopcOverall) -> list[Cell]:
    random = summary.comparison(row.method, "random", order) if row.method != "random" else None
    in_model = summary.comparison("in_model", row.method, order) if row.method != "in_model" else None
    return [
        Cell(number(row.aopc), interval(row.low, row.high)),
        _times_random_cell(row),
        difference_cell(random),
        _settings_cell(summary, row.method, "random", order),
        difference_cell(in_model),
        Cell(percent(in_model.wins)) if in_model else NONE,
        _settings_cell(summary, "in_model", row.method, order),
    ]


def _times_random_cell(row: AopcOverall) -> Cell:
    if row.times_random is None:
        return NONE
    return Cell(f"{number(row.times_random, 2)}×", interval(row.times_random_low, row.times_random_high, 2))


def difference_cell(row: Comparison | None) -> Cell:
    """A difference with its interval; bold where it is clear."""
    if row is None:
        return NONE
    return Cell(signed(row.difference), spread_and_p(row), row.verdict != "unclear")


def spread_and_p(row: Comparison | OrderGap) -> str:
    """The interval and the p-value, as far as they are known."""
    return "; ".join(filter(None, (interval(row.low, row.high), p_or_why(row))))


def _settings_cell(summary: Summary, method: Method, other: Method, order: Order) -> Cell:
    rows = [
        row
        for row in summary.comparisons
        if (row.method, row.other, row.order) == (method, other, order) and row.patch_size is not None
    ]
    if method == other or not rows:
        return NONE
    better, worse = (sum(row.verdict == verdict for row in rows) for verdict in ("better", "worse"))
    return Cell(f"{better} / {worse}")


def localization_table(summary: Summary) -> NumberTable:
    """How each method's heatmaps agree with the masks."""
    found = {(row.method, row.name): row for row in summary.heatmaps}
    methods: list[Method] = list(dict.fromkeys(row.method for row in summary.heatmaps))
    return NumberTable(
        title="Agreement with the masks",
        about=(
            "Means over the n perturbed images that have the value, and 95% intervals. POMPOM: share of the pixels "
            "outside the mask (or of all pixels) with heat above 1e-6; post-hoc heatmaps are divided by their maximum "
            "first. It does not rank kinds of heatmaps: one that is 0 by its making (after a ReLU, where it is "
            "negative, off the edges) has little for nothing, a smooth one never has. POMPOM of equal area ranks them: "
            "of every heatmap the hottest pixels are taken, as many as the mask has, and it is the share of the pixels "
            "outside that are among them; in a random order, the mask’s share of the image. Energy inside: share of "
            "the heat that lies inside the mask. Pointing game: whether the hottest pixel lies inside it. None of them "
            "says what the model used: read them with the AOPC."
        ),
        corner="Method",
        columns=[f"{metric_entry(name).title}, {IN_WORDS[metric_entry(name).better]}" for name in LOCALIZATION],
        rows=[
            TableRow(
                method_name(method),
                [metric_cell(found.get((method, name))) for name in LOCALIZATION],
                own=method == "in_model",
            )
            for method in methods
        ],
    )


def metric_cell(metric: HeatmapMetric | Metric | None) -> Cell:
    """A mean with its interval, and how many images it is over."""
    if metric is None or metric.value is None:
        return NONE
    spread = interval(metric.low, metric.high)
    images = f"n = {metric.images}" if metric.groups is None else f"n = {metric.images} of {metric.groups} groups"
    return Cell(number(metric.value), f"{spread}; {images}" if spread else images)
