"""What a reader must know before comparing an evaluation's numbers with others."""

from distxml.config.evaluation import EvaluationSettings, Scoring
from distxml.evaluation.summary import Summary
from distxml.report.look import ORDER_NAMES, ORDER_WORDS

TARGETS = {"predicted": "the class predicted for the untouched image", "label": "the true class"}
F_IN_WORDS: dict[Scoring, str] = {
    "recompute": "the joint model, which made its heatmap anew for every perturbed image (recompute)",
    "fixed": "the joint model, which kept the heatmap of the untouched image (fixed)",
    "phase1": "the classifier after phase 1 under a white heatmap, the plain-CNN baseline (phase1)",
}


def about_the_score(summary: Summary) -> list[str]:
    """The model, f, the target, the orders, and what was left out."""
    lines = [
        _model_in_words(summary),
        f"f, which is explained, and followed while patches are replaced, is {F_IN_WORDS[summary.settings.f]}. Its "
        f"output is the {_output_in_words(summary.settings)} of {target_in_words(summary.settings)}.",
        _orders_in_words(summary.settings),
        "AOPC compares heatmaps under one f. It is not comparable between different models.",
    ]
    if summary.curve_images < summary.images:
        lines.append(
            f"The curves, AOPC and the methods’ agreement with the masks are over a seeded draw of "
            f"{summary.curve_images} of the {summary.images} images."
        )
    if summary.left_out_patch_sizes:
        sizes = ", ".join(str(size) for size in summary.left_out_patch_sizes)
        lines.append(f"Patch sizes left out because they are larger than the image: {sizes}.")
    return lines


def target_in_words(settings: EvaluationSettings) -> str:
    """The class that is explained and followed."""
    return TARGETS.get(settings.target, f"the class “{settings.target}”, whatever an image shows")


def _output_in_words(settings: EvaluationSettings) -> str:
    return "softmax probability" if settings.output == "probability" else "logit"


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
