"""A small run on disk as training and evaluation leave it: a real model, dataset and evaluation, a log by hand."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from distxml.attribution.explained_model import ExplainedModel
from distxml.attribution.methods import METHODS
from distxml.config.evaluation import EvaluationSettings
from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.data.rows import Row
from distxml.evaluation.prepare import prepare
from distxml.evaluation.results import Results, store
from distxml.evaluation.scoring.records import images_table, methods_table, split_methods
from distxml.evaluation.scoring.scorer import ImageScorer
from distxml.evaluation.statistics.summarize import summarize
from distxml.models.checkpoint import LoadedModel, build_model, load_model, save_model
from tests.small_dataset import write_dataset
from tests.unit.evaluation.small_model import small_model, small_recipe, small_rows

CLASSIFIER, EXPLAINER, JOINT = PhaseName

CLASSES = ("cat & $dog$", '<b>"x"&\'<script>alert("1")</script>')
"""Names that HTML and matplotlib would both take for something else."""
ROWS = 12
ENVIRONMENT = {
    "python": "3.11",
    "cpus": 2,
    "command": "distxml train <b>x</b>",
    "earlier": [{"python": "3.12", "cpus": 4}, {"python": "3.13", "cpus": 8}],
}
EVALUATION = EvaluationSettings(
    methods=("in_model", "saliency", "random"),
    patch_sizes=(8, 16),
    min_patches=4,
    fills=("black", "blur"),
    steps=6,
    bootstrap=100,
    curve_images=8,
)
EVERYTHING = EVALUATION.model_copy(
    update={
        "methods": METHODS.names(),
        "orders": ("morf", "lerf"),
        "steps": "all",
        "integration_steps": 4,
        "smoothgrad_samples": 2,
        "rise_masks": 20,
        "occlusion_window": 0.25,
        "occlusion_stride": 1.0,
    }
)
"""All methods, in both orders, to the last patch."""


def make_run(
    folder: Path,
    *,
    evaluated: bool = True,
    finished: bool = True,
    settings: EvaluationSettings = EVALUATION,
    rows: Sequence[Row] | None = None,
    classes: tuple[str, ...] = CLASSES,
    log: Sequence[dict[str, Any]] | None = None,
) -> RunFolder:
    """A run below `folder`, with its dataset beside it; the weights of the classifier and the joint phase differ."""
    recipe = small_recipe(folder, settings)
    run = RunFolder(recipe.run_folder)
    run.path.mkdir(parents=True)
    run.config.write_text(recipe.model_dump_json())
    run.environment.write_text(json.dumps(ENVIRONMENT))
    rows = rows or small_rows(ROWS)
    write_dataset(Path(recipe.dataset.path), {"test": rows}, classes)
    write_checkpoint(run, small(classes, seed=1), phase=PhaseName.CLASSIFIER)
    write_checkpoint(run, small(classes))
    if finished:
        run.finished.write_text("{}")
    write_log(run, log if log is not None else full_log() if finished else full_log()[:4])
    if evaluated:
        evaluate(run, rows)
    return run


def small(classes: tuple[str, ...] = CLASSES, seed: int = 0) -> LoadedModel:
    """A small model with these classes."""
    loaded = small_model(seed)
    card = loaded.card.model_copy(update={"classes": classes})
    same_shape = len(classes) == len(loaded.card.classes)
    return LoadedModel(loaded.model if same_shape else build_model(card).eval(), card)


def write_checkpoint(run: RunFolder, loaded: LoadedModel, phase: PhaseName = JOINT) -> None:
    """As `last` of a phase."""
    folder = run.checkpoint(phase, "last")
    folder.mkdir(parents=True, exist_ok=True)
    gating = "white" if phase == CLASSIFIER else "recompute"
    save_model(folder, loaded.model, loaded.card.model_copy(update={"gating": gating}))


def evaluate(run: RunFolder, rows: Sequence[Row]) -> Results:
    """What `distxml evaluate` writes, without its workers."""
    evaluation = prepare(run, run.recipe())
    folders = (evaluation.checkpoint.path, evaluation.explainer_checkpoint.path)
    model, explainer = (load_model(folder).model for folder in folders)
    explained = ExplainedModel(evaluation.scored.gating, model, explainer)
    scorer = ImageScorer(explained, evaluation.spec, torch.device("cpu"))
    rows = sorted(rows, key=lambda row: row.key)
    perturbed = [row for row in rows if row.key in evaluation.plan.curve_keys]
    images = images_table(scorer.describe(rows))
    methods = scorer.score(perturbed, evaluation.plan.methods) if perturbed else []
    heatmaps, curves = split_methods(methods_table(methods))
    results = Results(summarize(evaluation, images, heatmaps, curves), images, heatmaps, curves)
    store(results, run.evaluation)
    return results


def epoch_event(phase: PhaseName, number: int, overall: int, loss: float = 1.0) -> dict[str, Any]:
    """One epoch as training logs it."""
    names = ("total", "classification", "explanation", "sparsity", "contiguity", "weak", "accuracy", "heat_mean")
    values = dict.fromkeys(names, loss / overall)
    rates = {"lr_classifier": 0.0 if phase == EXPLAINER else 0.05, "lr_explainer": 0.0 if phase == CLASSIFIER else 0.05}
    place = {"event": "epoch", "phase": phase, "epoch": number, "global_epoch": overall}
    return {**place, "train": values, "val": values, **rates, "pace": {"images_per_second": 99.0}, "seconds": 3.5}


def end_event(phase: PhaseName, epochs: int, overall: int, reason: str) -> dict[str, Any]:
    """The end of a phase as training logs it."""
    return {"event": "phase_end", "phase": phase, "epochs": epochs, "global_epoch": overall, "reason": reason}


def guard_event(phase: PhaseName, tries: int, overall: int) -> dict[str, Any]:
    """What the collapse guard did, as training logs it."""
    place = {"event": "guard", "phase": phase, "epoch": 0, "global_epoch": overall}
    return {**place, "reason": "black <b>heat</b>", "action": "went back", "tries": tries, "lr_explainer": 0.01 / tries}


def notice_event(overall: int, message: str) -> dict[str, Any]:
    """Something worth knowing, as training logs it."""
    return {"event": "notice", "global_epoch": overall, "message": message}


def full_log() -> list[dict[str, Any]]:
    """Three phases of 2, 1 and 1 epochs; interrupted once."""
    return [
        epoch_event(CLASSIFIER, 1, 1),
        epoch_event(CLASSIFIER, 2, 2),
        end_event(CLASSIFIER, 2, 2, "epoch budget"),
        epoch_event(EXPLAINER, 1, 3),
        end_event(EXPLAINER, 1, 3, "explanation loss fell to 50% of its start"),
        {"event": "resumed", "phase": JOINT, "epoch": 0, "global_epoch": 3, "step": 0},
        epoch_event(JOINT, 1, 4),
        end_event(JOINT, 1, 4, "early <stopping>"),
    ]


def short_log() -> list[dict[str, Any]]:
    """One epoch and one loss: two figures."""
    return [epoch_event(CLASSIFIER, 1, 1) | {"train": {"total": 1.0}, "val": {"total": 1.0}}]


def write_log(run: RunFolder, events: Sequence[dict[str, Any]]) -> None:
    """`metrics.jsonl`."""
    run.metrics.write_text("".join(json.dumps(event) + "\n" for event in events))
