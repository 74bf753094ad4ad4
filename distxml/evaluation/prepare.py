"""Everything that an evaluation needs, opened and checked before any worker starts."""

import json
import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from distxml.attribution.methods import METHODS
from distxml.checksums import noted_sum
from distxml.config.absolute_paths import with_absolute_paths
from distxml.config.evaluation import EvaluationSettings
from distxml.config.load import validate_json_file
from distxml.config.model import ModelSettings
from distxml.config.phases import PhaseName
from distxml.config.recipe import Recipe
from distxml.config.run_folder import RunFolder
from distxml.data.reader import SplitReader
from distxml.data.schema import Dataset, DatasetMetadata, Split, open_dataset
from distxml.digest import digest_of
from distxml.errors import UserError
from distxml.evaluation.scoring.plan import ScoringPlan, ScoringSpec, make_plan
from distxml.evaluation.summary import ScoredModel
from distxml.locks import is_locked
from distxml.losses import class_weights
from distxml.models.checkpoint import CARD_NAME, WEIGHTS_NAME, ModelCard, check_classes, load_model
from distxml.models.gate import gate_at
from distxml.storage.pinned import PinnedFolder, pinned

ROWS_VERSION = 4
"""Counts up when the same settings give other rows than before."""

FREE_SETTINGS = {"checkpoint", "methods", "curve_images", "batch_size", "bootstrap", "primary"}
"""Evaluation settings that change no number in a row: they say which rows there are, or how rows are summarized."""

LIBRARIES = ("torch", "torchvision", "captum", "zennit", "opencv-python-headless")
"""What computes heatmaps, fills and f."""

DRAW = 0
"""Seed of the draw of `curve_images`: the same images for every run, so that runs can be compared image by image."""

UNUSED = {"pretrained"}
"""Settings of a model that have no effect once its weights are read."""


@dataclass(frozen=True)
class Evaluation:
    """One evaluation, ready to go.

    Attributes:
        checkpoint: folder of the model that is scored.
        explainer_checkpoint: of the one whose explainer makes the in-model heatmaps; the same, unless f is
            `classifier_phase`.
        scored: what is known of them.
        architectures: of the model that is scored, and of the one that explains.
        dataset: opened, with an absolute path.
        label_of_key: label of every image of the split, in its order.
        class_weights: that the run was trained with, one per class; None: all the same.
        primary_is_of_recipe: whether the primary comparison, and all it depends on, is as the run's recipe names it.
        spec: what will be done, with the settings, dataset and scaling as they will be used.
    """

    checkpoint: PinnedFolder
    explainer_checkpoint: PinnedFolder
    scored: ScoredModel
    architectures: tuple[ModelSettings, ModelSettings]
    dataset: Dataset
    label_of_key: dict[str, int]
    class_weights: tuple[float, ...] | None
    primary_is_of_recipe: bool
    spec: ScoringSpec

    @property
    def recipe(self) -> Recipe:
        """The settings."""
        return self.spec.recipe

    @property
    def plan(self) -> ScoringPlan:
        """Which curves, on which images."""
        return self.spec.plan


def prepare(run: RunFolder, recipe: Recipe) -> Evaluation:
    """Open the run's checkpoint and the dataset, and plan.

    Raises:
        UserError: the run is being trained, or has not come to the phase that is scored; the dataset is not the
            model's, the target is no class, Grad-CAM's layer no gate, the patch size of the primary comparison is left
            out, or the split is empty.
    """
    require_writable(run.evaluation)
    _refuse_while_training(run)
    settings = recipe.evaluation
    explainer = _checkpoint(run, PhaseName.JOINT, settings)
    checkpoint = _checkpoint(run, PhaseName.CLASSIFIER, settings) if settings.f == "classifier_phase" else explainer
    loaded = load_model(checkpoint)
    card = loaded.card
    if any("grad_cam_layer" in METHODS[method].settings for method in settings.methods):
        gate_at(loaded.model.classifier, settings.grad_cam_layer)
    explainer_card = card if explainer == checkpoint else load_model(explainer).card
    _require_gating(card, recipe, checkpoint)
    recipe = recipe.model_copy(update={"dataset": with_absolute_paths(recipe.dataset)})
    dataset = open_dataset(recipe.dataset.path)
    check_classes(card, dataset.metadata.classes, checkpoint, str(dataset.folder))
    labels = _labels(dataset, settings.split)
    plan = make_plan(settings, card.image_size, labels, DRAW)
    _require_primary(settings, plan)
    return Evaluation(
        checkpoint=pinned(run, checkpoint),
        explainer_checkpoint=pinned(run, explainer),
        scored=ScoredModel(
            checkpoint=checkpoint.relative_to(run.path).as_posix(),
            sha256=noted_sum(checkpoint, WEIGHTS_NAME),
            explainer_checkpoint=explainer.relative_to(run.path).as_posix(),
            explainer_sha256=noted_sum(explainer, WEIGHTS_NAME),
            gating=recipe.scored_gating,
            classifier=card.settings.classifier,
            image_size=card.image_size,
            training_finished=run.finished.is_file(),
        ),
        architectures=(card.settings, explainer_card.settings),
        dataset=dataset,
        label_of_key=labels,
        class_weights=_class_weights(run, recipe),
        primary_is_of_recipe=_claim(recipe) == _claim(run.recipe()),
        spec=ScoringSpec(
            recipe=recipe,
            plan=plan,
            image_size=card.image_size,
            target_class=_target_class(settings.target, card.classes),
        ),
    )


def _claim(recipe: Recipe) -> tuple[str, EvaluationSettings]:
    """All that the primary comparison depends on, as far as it can be chosen when a run is evaluated."""
    free = EvaluationSettings().model_dump(include={"methods", "batch_size", "bootstrap"})
    primary = recipe.evaluation.primary.model_copy(update={"under_other_gate": True})
    settings = recipe.evaluation.model_copy(update=free | {"primary": primary})
    return with_absolute_paths(recipe.dataset).path, settings


def _refuse_while_training(run: RunFolder) -> None:
    """Its checkpoints change, and its workers have reserved the CPUs."""
    if is_locked(run.lock):
        raise UserError(f"run {run}: another process is training it; wait until it has finished")


def _checkpoint(run: RunFolder, phase: PhaseName, settings: EvaluationSettings) -> Path:
    folder = run.checkpoint(phase, settings.checkpoint)
    run.fetch(folder, CARD_NAME, WEIGHTS_NAME)
    if not (folder / CARD_NAME).is_file():
        raise UserError(
            f"run {run}: no checkpoint {folder.relative_to(run.path).as_posix()}; finish training first "
            "(`distxml train` with the same run.name resumes where it stopped)"
        )
    return folder


def _require_primary(settings: EvaluationSettings, plan: ScoringPlan) -> None:
    """What a claim is to rest on must not silently not be made."""
    size = settings.primary.patch_size
    if size in plan.left_out_patch_sizes:
        raise UserError(
            f"evaluation.primary.patch_size={size}: leaves an image fewer than "
            f"evaluation.min_patches={settings.min_patches} patches, or is larger than it; name a smaller one"
        )


def _require_gating(card: ModelCard, recipe: Recipe, checkpoint: Path) -> None:
    """A classifier is scored as it was trained, whatever the run's config.yaml says by now."""
    wanted = "white" if recipe.scored_gating == "white" else "recompute"
    if card.gating != wanted:
        heatmaps = {"white": "a white heatmap", "recompute": "the explainer's heatmap"}
        raise UserError(
            f"checkpoint {checkpoint}: its classifier was trained under {heatmaps[card.gating]}, but the run's config "
            f"has it under {heatmaps[wanted]} (phases.classifier.white_heatmap); restore the config of the training"
        )


def _class_weights(run: RunFolder, recipe: Recipe) -> tuple[float, ...] | None:
    """Balanced ones are by the counts of the dataset that the run was trained on, whichever it is scored on."""
    setting = recipe.loss.class_weights
    if setting != "balanced":
        return setting
    remedy = "loss.class_weights=balanced needs it; restore the file"
    trained_on = validate_json_file(DatasetMetadata, run.dataset, remedy)
    weights = class_weights(setting, trained_on.class_counts("train"))
    assert weights is not None
    return tuple(weights.tolist())


def _target_class(target: str, classes: tuple[str, ...]) -> int | None:
    if target in ("predicted", "label"):
        return None
    if target not in classes:
        raise UserError(
            f"evaluation.target={target}: is neither predicted nor label nor one of the classes {', '.join(classes)}"
        )
    return classes.index(target)


def _labels(dataset: Dataset, split: Split) -> dict[str, int]:
    index = SplitReader(dataset, split).index()
    labels = dict(zip(index.keys, index.labels, strict=True))
    if len(labels) < len(index.keys):
        raise UserError(f"dataset {dataset.folder}: a key comes twice in the split {split!r}; build the dataset again")
    if not labels:
        raise UserError(f"dataset {dataset.folder}: its split {split!r} holds no images; set evaluation.split")
    return labels


def require_writable(folder: Path) -> None:
    """Check before the work that its results can be written.

    Raises:
        UserError: `folder` is a file, or the run's folder may not be written.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: is a file where the results belong; move it away")
    if not os.access(folder.parent, os.W_OK | os.X_OK):
        raise UserError(f"{folder.parent}: may not be written; change its permissions or copy the run")


def depends_on(evaluation: Evaluation) -> dict[str, object]:
    """Everything that a number in a row may depend on, as JSON."""
    recipe, scored = evaluation.recipe, evaluation.scored
    return {
        "rows_version": ROWS_VERSION,
        "libraries": {name: version(name).partition("+")[0] for name in LIBRARIES},  # +cu130: built for another device
        "weights": scored.sha256,
        "explainer_weights": scored.explainer_sha256,
        "gating": scored.gating,
        "models": [settings.model_dump(mode="json", exclude=UNUSED) for settings in evaluation.architectures],
        "image_size": list(scored.image_size),
        "dataset": evaluation.dataset.sha256,
        "seed": recipe.run.seed,
        "loss": recipe.loss.model_dump(mode="json"),
        "alpha": recipe.phases.joint.alpha,
        "evaluation": recipe.evaluation.model_dump(mode="json", exclude=FREE_SETTINGS),
    }


def fingerprint(evaluation: Evaluation) -> str:
    """SHA-256 of all of it, its first 16 hexadecimal digits."""
    return digest_of(json.dumps(depends_on(evaluation), sort_keys=True))[:16]
