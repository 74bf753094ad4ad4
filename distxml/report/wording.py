"""Numbers and names as the report writes them."""

import math
from collections.abc import Sequence

from distxml.config.evaluation import EvaluationSettings, Gating, Scoring
from distxml.config.phases import PhaseName
from distxml.config.recipe import Recipe
from distxml.evaluation.digits import digits_apart
from distxml.evaluation.summary import Summary
from distxml.evaluation.summary_rows import Metric
from distxml.models.classifiers import CLASSIFIERS
from distxml.report.style import ORDER_NAMES, ORDER_WORDS
from distxml.report.training_log import GuardAction, TrainingLog

TARGETS = {"predicted": "the class predicted for the untouched image", "label": "the true class"}

F_IN_WORDS: dict[Scoring, str] = {
    "recompute": "the joint model, which made its heatmap anew for every perturbed image (recompute)",
    "fixed": "the joint model, which kept the heatmap of the untouched image (fixed)",
    "classifier_phase": "the classifier after its own phase {} (classifier_phase)",
}
CLASSIFIER_PHASE_IN_WORDS: dict[Gating, str] = {
    "white": "under a white heatmap, the plain-CNN baseline",
    "recompute": (
        "under the heatmap that the explainer of that phase made anew for every perturbed image, as in its training"
    ),
}
"""By what gated it."""


def number(value: float | None, digits: int = 3) -> str:
    """Fixed decimals with a true minus sign; a dash where there is no number."""
    if value is None or math.isnan(value):
        return "–"
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def signed(difference: float, digits: int = 3) -> str:
    """`+0.123`; without a sign where it is rounded to 0."""
    text = number(difference, digits)
    return f"+{text}" if difference > 0 and float(text) != 0 else text


def interval(low: float | None, high: float | None, digits: int = 3) -> str:
    """`low to high`, with so many digits that the two differ; empty where there is none."""
    if low is None or high is None:
        return ""
    digits = digits_apart(low, high, digits)
    return f"{number(low, digits)} to {number(high, digits)}"


def size(images: int, groups: int | None) -> str:
    """`60 images`, or `60 images of 20 groups`."""
    return counted(images, "image") if groups is None else f"{counted(images, 'image')} of {counted(groups, 'group')}"


def metric_interval(metric: Metric) -> str:
    """The 95% interval of a metric."""
    return interval(metric.low, metric.high)


def percent(share: float) -> str:
    """A share as a whole percentage that says 0% and 100% only where it is exactly so."""
    rounded = round(100 * share)
    if rounded == 100 and share < 1:
        return ">99%"
    return "<1%" if rounded == 0 and share > 0 else f"{rounded}%"


def duration(seconds: float) -> str:
    """`3 h 12 min`, `12 min` or `40 s`."""
    hours, rest = divmod(round(seconds), 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {left} s" if minutes else f"{left} s"


def phase_work(recipe: Recipe, phase: PhaseName) -> str:
    """What learns in a phase."""
    settings = recipe.phases[phase]
    if settings.lr_explainer == 0:
        return "classifier alone" if settings.white_heatmap else "classifier alone, under the explainer’s heatmap"
    return "explainer alone" if settings.lr_classifier == 0 else "both together"


def epochs(log: TrainingLog, recipe: Recipe, phase: PhaseName) -> str:
    """How many epochs a phase was trained for, those that the guard took back included."""
    trained, most, acted = log.epochs_of(phase), recipe.phases[phase].epochs, len(log.guard_in(phase))
    if acted:
        return f"{counted(trained, 'epoch')}; the collapse guard acted {counted(acted, 'time')}"
    return counted(trained, "epoch") if most is None else f"{trained} of at most {counted(most, 'epoch')}"


def guard_action(action: GuardAction) -> str:
    """What the collapse guard saw and did, in one line."""
    rate = "" if math.isnan(action.lr_explainer) else f" (explainer’s learning rate now {action.lr_explainer:g})"
    where = f"Collapse guard, {action.phase} phase, after epoch {action.overall}"
    return f"{where}: {action.reason}; {action.action}{rate}"


def counted(count: int, thing: str) -> str:
    """`1 image`, `2 images`."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def subtitle(recipe: Recipe) -> str:
    """What was trained, in one line."""
    name = CLASSIFIERS[recipe.model.classifier].title
    height, width = recipe.loader.image_size
    loss = "masks guide the explainer" if recipe.loss.kind == "hybrid" else "no mask guides the explainer"
    return f"{name} trained jointly with its explainer at {height} × {width} pixels; {loss}."


def about_the_score(summary: Summary) -> list[str]:
    """The model, f, the target, the orders, and what was left out."""
    lines = [
        _model_in_words(summary),
        f"f, which is explained, and followed while patches are replaced, is {f_in_words(summary)}. Its "
        f"output is the {_output_in_words(summary.settings)} of {target_in_words(summary.settings)}.",
        _orders_in_words(summary.settings),
        range_in_words(summary.settings),
        "AOPC compares heatmaps under one f. It is not comparable between different models.",
    ]
    if summary.curve_images < summary.images:
        lines.append(
            f"The curves, AOPC and the methods’ agreement with the masks are over a draw (the same for every run) of "
            f"{summary.curve_images} of the {size(summary.images, summary.groups)}."
        )
    lines.append(independence(summary))
    if summary.left_out_patch_sizes:
        lines.append(f"{left_out_in_words(summary.left_out_patch_sizes, summary.settings)}.")
    return lines


def left_out_in_words(sizes: Sequence[int], settings: EvaluationSettings) -> str:
    """Which patch sizes were left out, and why; where none is left, what that means and what to do."""
    line = (
        f"Patch sizes left out, as they are larger than the image or leave it fewer than {settings.min_patches} "
        f"patches: {', '.join(map(str, sizes))}"
    )
    if len(sizes) < len(settings.patch_sizes):
        return line
    return (
        f"{line}. None is left: no image is perturbed, and there is no AOPC. Name smaller evaluation.patch_sizes, or "
        "lower evaluation.min_patches"
    )


def independence(summary: Summary) -> str:
    """What the intervals and tests take for independent."""
    if summary.groups is None:
        return "The dataset names no groups (patients), so its images are taken as independent of each other."
    return (
        f"Images of one group (a patient) are not independent: intervals and tests are over whole groups, "
        f"{size(summary.images, summary.groups)}; {size(summary.curve_images, summary.curve_groups)} are perturbed."
    )


def f_in_words(summary: Summary) -> str:
    """The function that was scored."""
    gated = CLASSIFIER_PHASE_IN_WORDS.get(summary.scored.gating, "")
    return F_IN_WORDS[summary.settings.f].format(gated)


def target_in_words(settings: EvaluationSettings) -> str:
    """The class that is explained and followed."""
    return TARGETS.get(settings.target, f"the class “{settings.target}”, whatever an image shows")


def _output_in_words(settings: EvaluationSettings) -> str:
    return "softmax probability" if settings.output == "probability" else "logit"


def range_in_words(settings: EvaluationSettings) -> str:
    """What the curves run over, and so what AOPC is."""
    if settings.share_limit is None:
        return (
            "Curves run patch by patch (the paper’s AOPC): AOPC is the mean drop of f over the steps. Patch sizes then "
            "replace unequal shares of the image and cannot be compared with each other."
        )
    return (
        f"Curves run from 0 to {percent(settings.share_limit)} of the image replaced at every patch size: AOPC is the "
        "mean drop of f over that share."
    )


def _model_in_words(summary: Summary) -> str:
    scored = summary.scored
    line = (
        f"Scored model: {scored.checkpoint}, {scored.classifier}, at {scored.image_size[0]} × {scored.image_size[1]} "
        f"pixels; SHA-256 of its weights {scored.sha256[:16]}…."
    )
    if scored.explainer_checkpoint == scored.checkpoint:
        return line
    return (
        f"{line} The in-model heatmaps are by {scored.explainer_checkpoint}; SHA-256 {scored.explainer_sha256[:16]}…."
    )


def _orders_in_words(settings: EvaluationSettings) -> str:
    meanings = {
        "morf": "the faster f falls, the higher the AOPC, the better the heatmap",
        "lerf": "the longer f holds, the lower the AOPC, the better the heatmap",
    }
    orders = "; ".join(f"{ORDER_WORDS[order]} ({ORDER_NAMES[order]}): {meanings[order]}" for order in settings.orders)
    random = " A random order has no direction and has one curve for both." if len(settings.orders) > 1 else ""
    return f"Patches were replaced {orders}.{random}"
