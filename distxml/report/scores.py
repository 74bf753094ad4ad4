"""What an evaluation found, arranged for reading: the verdict, the table of AOPC, the confusion matrix."""

from dataclasses import dataclass

from distxml.evaluation.results import Aopc, AopcDifference, AopcOverall, Metric, Summary
from distxml.report.evaluation_figures import method_name
from distxml.report.wording import metric_interval, metric_title, number

HEADLINE_METRICS = ("accuracy", "roc_auc", "pompom", "heat_inside", "heat_outside")


@dataclass(frozen=True)
class Tile:
    """One verdict figure: a name, its value, and its interval or what it is over."""

    name: str
    value: str
    note: str


@dataclass(frozen=True)
class MethodVerdict:
    """A method's AOPC over all patch sizes and fills.

    Attributes:
        method: its name in words.
        aopc: mean over images and settings.
        interval: its 95% interval, in words.
        clearly_better: settings where the whole 95% interval of the difference to a random order lies above 0.
        clearly_worse: where it lies below 0.
        settings: settings that were compared; 0 where there was no random order.
    """

    method: str
    aopc: float
    interval: str
    clearly_better: int
    clearly_worse: int
    settings: int


@dataclass(frozen=True)
class AopcRow:
    """One patch size and fill: a cell a method, and a cell a method for the difference to the random order."""

    patch_size: int
    fill: str
    steps: int
    cells: list[Aopc]
    differences: list[AopcDifference]


@dataclass(frozen=True)
class ConfusionRow:
    """A true class: how many images were predicted as each class, and their share of the row."""

    name: str
    counts: list[int]
    shares: list[float]


def headline_tiles(summary: Summary) -> list[Tile]:
    """The figures that come first; those that the evaluation could not compute are left out."""
    found = {metric.name: metric for metric in summary.metrics}
    shown = [found[name] for name in HEADLINE_METRICS if name in found and found[name].value is not None]
    return [_tile(metric) for metric in shown]


def _tile(metric: Metric) -> Tile:
    spread = metric_interval(metric)
    return Tile(metric_title(metric.name), number(metric.value), f"{spread} (95%)" if spread else "")


def method_verdicts(summary: Summary) -> list[MethodVerdict]:
    """A line a method, in the order of the settings."""
    return [_verdict(summary, overall) for overall in summary.aopc_overall]


def _verdict(summary: Summary, overall: AopcOverall) -> MethodVerdict:
    differences = [row for row in summary.versus_random if row.method == overall.method]
    return MethodVerdict(
        method=method_name(overall.method),
        aopc=overall.aopc,
        interval=f"{number(overall.low)} to {number(overall.high)} (95%)",
        clearly_better=sum(row.low > 0 for row in differences),
        clearly_worse=sum(row.high < 0 for row in differences),
        settings=len(differences),
    )


def aopc_rows(summary: Summary) -> list[AopcRow]:
    """The table of AOPC, a row for each patch size and fill."""
    settings = dict.fromkeys((row.patch_size, row.fill) for row in summary.aopc)
    rows = []
    for patch_size, fill in settings:
        cells = [row for row in summary.aopc if (row.patch_size, row.fill) == (patch_size, fill)]
        differences = [row for row in summary.versus_random if (row.patch_size, row.fill) == (patch_size, fill)]
        rows.append(AopcRow(patch_size, fill, cells[0].steps, cells, differences))
    return rows


def confusion_rows(summary: Summary) -> list[ConfusionRow]:
    """The confusion matrix by true class."""
    return [
        ConfusionRow(name, list(counts), [count / max(1, sum(counts)) for count in counts])
        for name, counts in zip(summary.classes, summary.confusion, strict=True)
    ]


def about_the_score(summary: Summary) -> list[str]:
    """What a reader must know before comparing these numbers with others."""
    scored, settings = summary.scored, summary.settings
    target = "the class predicted for the untouched image" if settings.target == "predicted" else "the true class"
    heat = {
        "recompute": "made its heatmap anew for every perturbed image (recompute)",
        "fixed": "kept the heatmap of the untouched image (fixed)",
    }
    lines = [
        f"Scored model: {scored.checkpoint}, {scored.classifier}, at {scored.image_size[0]} × {scored.image_size[1]} "
        f"pixels; SHA-256 of its weights {scored.sha256[:16]}….",
        "AOPC compares heatmaps under one model. It is not comparable between different models.",
        f"f is the probability of {target}; while patches were replaced, the model "
        f"{heat[settings.f]}.",
    ]
    if summary.curve_images < summary.images:
        lines.append(
            f"The curves and AOPC are over a seeded draw of {summary.curve_images} of the {summary.images} images."
        )
    if summary.left_out_patch_sizes:
        sizes = ", ".join(str(size) for size in summary.left_out_patch_sizes)
        lines.append(f"Patch sizes left out because they are larger than the image: {sizes}.")
    return lines


def is_clear(row: AopcDifference) -> bool:
    """Whether the whole interval lies on one side of 0."""
    return row.low > 0 or row.high < 0


def signed(difference: float) -> str:
    """`+0.123`."""
    return f"{'+' if difference > 0 else ''}{number(difference)}"
