"""What the rows of an evaluation depend on: rows of the same fingerprint may be used again."""

import hashlib
import json
from importlib.metadata import version

from distxml.evaluation.prepare import Evaluation

ROWS_VERSION = 1
"""Counts up when the same settings come to give other rows."""
FREE = {"checkpoint", "methods", "curve_images", "batch_size", "bootstrap"}
"""Settings of the evaluation that change no number of a row: which rows there are, or what is made of them."""
LIBRARIES = ("torch", "torchvision", "captum", "zennit", "opencv-python-headless")
"""What computes heatmaps, fills and f."""
UNUSED = {"pretrained"}
"""Settings of a model that say nothing once its weights are read."""


def depends_on(evaluation: Evaluation) -> dict[str, object]:
    """Everything that a number in a row may depend on, as JSON."""
    recipe, scored = evaluation.recipe, evaluation.scored
    return {
        "rows_version": ROWS_VERSION,
        "libraries": {name: version(name).partition("+")[0] for name in LIBRARIES},  # +cu130: built for another device
        "weights": scored.sha256,
        "explainer_weights": scored.explainer_sha256,
        "models": [settings.model_dump(mode="json", exclude=UNUSED) for settings in evaluation.architectures],
        "image_size": list(scored.image_size),
        "dataset": evaluation.dataset_sha256,
        "seed": recipe.run.seed,
        "loss": recipe.loss.model_dump(mode="json"),
        "alpha": recipe.phases[2].alpha,
        "evaluation": recipe.evaluation.model_dump(mode="json", exclude=FREE),
    }


def fingerprint(evaluation: Evaluation) -> str:
    """SHA-256 of all of it, its first 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(depends_on(evaluation), sort_keys=True).encode()).hexdigest()[:16]
