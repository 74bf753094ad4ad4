"""The table of metrics: one entry each."""

from distxml.metrics.entry import HEAT, SHARE, MetricEntry, Origin

PROBABILITY = "probability or logit of f"

TRAINED: tuple[Origin, ...] = ("training", "evaluation")
SCORED: tuple[Origin, ...] = ("quick_scores", "evaluation")

TABLE = (
    MetricEntry(
        name="total", title="Total loss", short="loss",
        unit="weighted loss", better="lower", computed_by=TRAINED,
        meaning=(
            "alpha · classification + (1 − alpha) · explanation; as alpha belongs to the phase, different "
            "phases cannot be compared."
        ),
    ),
    MetricEntry(
        name="classification", title="Classification loss", short="class",
        unit="nats", better="lower", computed_by=TRAINED,
        remark="cross-entropy",
        meaning=(
            "Cross-entropy of the class probabilities and the label, a mean over the images weighted by their "
            "classes' loss.class_weights."
        ),
    ),
    MetricEntry(
        name="explanation", title="Explanation loss", short="expl",
        unit="weighted loss", better="lower", computed_by=TRAINED,
        meaning=(
            "beta · sparsity + (1 − beta) · contiguity, and with loss.kind=hybrid + gamma · annotated · weak, where "
            "annotated is the share of the images that have a mask."
        ),
    ),
    MetricEntry(
        name="sparsity", title="Sparsity", short="heat",
        unit=HEAT, better="neither", computed_by=TRAINED,
        remark="mean heat, as a loss term",
        meaning="Mean heat of all pixels; the loss term that beta weighs.",
    ),
    MetricEntry(
        name="contiguity", title="Contiguity", short="contig",
        unit="heat per pixel", better="neither", computed_by=TRAINED,
        remark="total variation over the pixels",
        meaning="Sum of the absolute differences in heat between neighbouring pixels, over the number of pixels.",
    ),
    MetricEntry(
        name="weak", title="Weak loss", short="weak",
        unit=HEAT, better="neither", computed_by=TRAINED,
        remark="mean heat outside the masks",
        meaning=(
            "Mean heat outside the mask, over the annotated images; the loss term that gamma times their share of the "
            "images weighs."
        ),
    ),
    MetricEntry(
        name="annotated", title="Annotated images", short="masks",
        unit=SHARE, better="neither", computed_by=("training",),
        meaning="Share of the images that have a mask, an empty one too: what gamma · weak counts with.",
    ),
    MetricEntry(
        name="accuracy", title="Accuracy", short="acc",
        unit=SHARE, better="higher", computed_by=TRAINED,
        meaning="Share of the images whose most probable class is their label.",
    ),
    MetricEntry(
        name="black", title="Black pixels", short="black",
        unit=SHARE, better="neither", computed_by=("training",),
        meaning="Share of the pixels whose heat is below guard.black_below; near 1, the heatmap has collapsed.",
    ),
    MetricEntry(
        name="white", title="White pixels", short="white",
        unit=SHARE, better="neither", computed_by=("training",),
        meaning=(
            "Share of the pixels whose heat is above guard.white_above; near 1, the heatmap lets everything "
            "through."
        ),
    ),
    MetricEntry(
        name="difference", title="Difference between images’ heatmaps", short="difference",
        unit=SHARE, better="neither", computed_by=("training",),
        meaning=(
            "Σ |h − h′| / Σ (h + h′) over the pixels of an image's heatmap and the next image's: 0 where both "
            "are the same, 1 where no pixel is lit in both."
        ),
    ),
    MetricEntry(
        name="aopc", title="AOPC", short="aopc",
        unit=PROBABILITY, better="higher", computed_by=SCORED,
        meaning=(
            "Mean over the images of the mean drop f(x(0)) − f(x(k)), where x(k) is the image without its most "
            "relevant patches (MoRF), over the share of the image that they cover or over k = 0 … L; in LeRF order, "
            "without the least relevant ones, the other way round; it grows with the model's confidence, so it "
            "compares heatmaps under one model, not models."
        ),
        no_objective=(
            "it grows with the model's confidence, so that it ranks models by that and not by their explanations; use "
            "flips_above_random, which scaling the logits does not move"
        ),
    ),
    MetricEntry(
        name="flips_above_random", title="Decision flips above random", short="flips",
        unit="share of the steps, −1 to 1", better="higher", computed_by=("quick_scores",),
        remark="0: as a random order of patches",
        meaning=(
            "Share of the steps k = 0 … L at which another class than that of x(0) has the highest logit, where x(k) "
            "is the image without its k most relevant patches (MoRF), minus the same share in a random order; mean "
            "over the images; scaling the logits does not move it, so models may be ranked by it."
        ),
    ),
    MetricEntry(
        name="lerf_minus_morf", title="LeRF minus MoRF", short="gap",
        unit=PROBABILITY, better="higher", computed_by=("evaluation",),
        meaning=(
            "Area between the LeRF curve and the MoRF curve: AOPC of MoRF minus AOPC of LeRF; a random order "
            "has 0."
        ),
    ),
    MetricEntry(
        name="aopc_difference", title="AOPC minus another method's", short="minus other",
        unit=PROBABILITY, better="neither", computed_by=("evaluation",),
        meaning="Paired difference image by image; with MoRF the method is better above 0, with LeRF below 0.",
    ),
    MetricEntry(
        name="aopc_times_random", title="AOPC, times that of a random order", short="times random",
        unit="ratio", better="higher", computed_by=("evaluation",),
        meaning=(
            "Mean AOPC over that of the images' own random orders, where the latter is clearly above 0; in LeRF order, "
            "as for AOPC itself, the other way round."
        ),
    ),
    MetricEntry(
        name="deletion_auc", title="Deletion AUC", short="deletion",
        unit=PROBABILITY, better="lower", computed_by=("evaluation",),
        meaning="Area under the MoRF curve over the share of the image replaced, where all of it is.",
    ),
    MetricEntry(
        name="insertion_auc", title="Insertion AUC", short="insertion",
        unit=PROBABILITY, better="higher", computed_by=("evaluation",),
        meaning=(
            "Area under the LeRF curve, read from its end, over the share of patches that are there, where all "
            "of them are replaced."
        ),
    ),
    MetricEntry(
        name="pompom", title="POMPOM", short="pompom",
        unit=SHARE, better="lower", computed_by=SCORED,
        remark="share of the pixels outside the masks that have heat",
        meaning=(
            "Share of the pixels outside the mask that have heat above 1e-6; post-hoc heatmaps are divided by "
            "their maximum first; for heatmaps of one kind, not to rank kinds (see POMPOM of equal area)."
        ),
    ),
    MetricEntry(
        name="pompom_all_pixels", title="POMPOM of all pixels", short="pompom/all",
        unit=SHARE, better="lower", computed_by=("evaluation",),
        remark="the same pixels as a share of the whole image",
        meaning="The pixels outside the mask that have heat, as a share of the whole image.",
    ),
    MetricEntry(
        name="pompom_equal_area", title="POMPOM of equal area", short="pompom/area",
        unit=SHARE, better="lower", computed_by=("evaluation",),
        remark="share of the pixels outside the masks among as many hottest pixels as the mask has",
        meaning=(
            "Share of the pixels outside the mask that are among the hottest pixels of the image, as many as the "
            "mask has; where pixels tie, its expected value over their random order."
        ),
    ),
    MetricEntry(
        name="energy_inside", title="Energy inside", short="energy",
        unit=SHARE, better="higher", computed_by=("evaluation",),
        meaning="Share of the heat that lies inside the mask.",
    ),
    MetricEntry(
        name="pointing", title="Pointing game", short="pointing",
        unit=SHARE, better="higher", computed_by=("evaluation",),
        meaning=(
            "Whether the hottest pixel lies inside the mask; where several are hottest, the share of them that "
            "does."
        ),
    ),
    MetricEntry(
        name="roc_auc", title="ROC AUC", short="auc",
        unit=SHARE, better="higher", computed_by=("evaluation",),
        remark="area under the curve",
        meaning="Area under the ROC curve of each class against the rest, mean over the classes.",
    ),
    MetricEntry(
        name="average_precision", title="Average precision", short="ap",
        unit=SHARE, better="higher", computed_by=("evaluation",),
        meaning=(
            "Area under the precision-recall curve of each class against the rest, by steps, mean over the "
            "classes."
        ),
    ),
    MetricEntry(
        name="heat_mean", title="Mean heat", short="heat",
        unit=HEAT, better="neither", computed_by=("evaluation",),
        remark="0 black, 1 white",
        meaning="Mean heat of all pixels of the in-model heatmap.",
    ),
    MetricEntry(
        name="heat_inside", title="Heat inside the masks", short="inside",
        unit=HEAT, better="neither", computed_by=("evaluation",),
        remark="mean; 0 black, 1 white",
        meaning="Mean heat of the pixels inside the mask, where there are pixels inside and outside.",
    ),
    MetricEntry(
        name="heat_outside", title="Heat outside the masks", short="outside",
        unit=HEAT, better="neither", computed_by=("evaluation",),
        remark="mean; 0 black, 1 white",
        meaning="Mean heat of the pixels outside the mask, where there are pixels inside and outside.",
    ),
    MetricEntry(
        name="heat_ratio", title="Heat inside over outside", short="in/out",
        unit="ratio", better="neither", computed_by=("evaluation",),
        remark="above 1: the masks are hotter than the rest",
        meaning="Heat inside the masks, over the images, divided by heat outside.",
    ),
    MetricEntry(
        name="images_per_second", title="Images per second", short="img/s",
        unit="images per second", better="higher", computed_by=("speed",),
        meaning="Training images of all ranks over the time of the training steps; validation is left out.",
    ),
    MetricEntry(
        name="data_wait", title="Waiting for data", short="wait",
        unit=SHARE, better="lower", computed_by=("speed",),
        meaning="Share of the time of the training steps that the first rank waited for its loader.",
    ),
    MetricEntry(
        name="step_seconds", title="Time per step", short="step",
        unit="seconds", better="lower", computed_by=("speed",),
        meaning="Mean time of an optimizer step, waiting for data included.",
    ),
    MetricEntry(
        name="gradient_norm", title="Gradient norm", short="grad",
        unit="norm", better="neither", computed_by=("speed",),
        meaning="Norm of the whole gradient before clipping, mean over the steps.",
    ),
    MetricEntry(
        name="scoring_seconds", title="Time of the quick scores", short="scoring",
        unit="seconds", better="lower", computed_by=("speed",),
        meaning="What the quick scores of an epoch took.",
    ),
    MetricEntry(
        name="resident_mb", title="Memory of the process", short="memory",
        unit="MB (10⁶ bytes)", better="lower", computed_by=("speed",),
        meaning="Resident memory of the first rank's process at its peak so far.",
    ),
    MetricEntry(
        name="gpu_mb", title="Memory of the GPU", short="gpu",
        unit="MB (10⁶ bytes)", better="lower", computed_by=("speed",),
        meaning="Memory that torch has allocated on the first rank's GPU at its peak so far.",
    ),
    MetricEntry(
        name="lr_classifier", title="Classifier’s learning rate", short="lr class",
        unit="per step", better="neither", computed_by=("speed",),
        meaning="Learning rate of the classifier in this epoch; 0 where it is frozen.",
    ),
    MetricEntry(
        name="lr_explainer", title="Explainer’s learning rate", short="lr expl",
        unit="per step", better="neither", computed_by=("speed",),
        meaning=(
            "Learning rate of the explainer in this epoch, also after the collapse guard has changed it; 0 "
            "where it is frozen."
        ),
    ),
    MetricEntry(
        name="phase", title="Phase", short="phase",
        unit="number, 1 to 3", better="neither", computed_by=("speed",),
        meaning="Which phase the epoch belongs to: 1 classifier, 2 explainer, 3 joint.",
    ),
    MetricEntry(
        name="guard_tries", title="Acts of the collapse guard", short="guard",
        unit="times", better="lower", computed_by=("speed",),
        meaning="How often the collapse guard has acted in this phase.",
    ),
    MetricEntry(
        name="score", title="Score", short="score",
        unit="as the objective", better="higher", computed_by=("speed",),
        meaning=(
            "What a sweep's trials are compared by: the objective as one number, far below all others where a "
            "limit is missed."
        ),
    ),
)  # fmt: skip
