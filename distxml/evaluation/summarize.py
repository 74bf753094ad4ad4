"""From rows to the summary: means, areas, AOPC, each with its bootstrap interval."""

import numpy as np
import pyarrow as pa

from distxml import __version__
from distxml.evaluation.aopc_table import aopc_overall, aopc_table, curve_sets, versus_random
from distxml.evaluation.classification import area_metrics, confusion_matrix, precision_recall_curves, roc_curves
from distxml.evaluation.intervals import Bootstrap
from distxml.evaluation.mean_metrics import mean_metrics
from distxml.evaluation.prepare import Evaluation
from distxml.evaluation.results import Summary


def summarize(evaluation: Evaluation, images: pa.Table, curves: pa.Table) -> Summary:
    """The summary of `images` and `curves` (schemas of `results`, sorted by key)."""
    settings, seed = evaluation.recipe.evaluation, evaluation.recipe.run.seed
    metadata = evaluation.dataset.metadata
    probabilities = np.array(images["probabilities"].to_pylist(), np.float64)
    label, predicted = (images[name].to_numpy().astype(np.int64) for name in ("label", "predicted"))
    roc = roc_curves(probabilities, label, metadata.classes)
    precision_recall = precision_recall_curves(probabilities, label, metadata.classes)
    of_images = Bootstrap(images.num_rows, settings.bootstrap, seed)
    accuracy, *means = mean_metrics(images, of_images)
    sets = curve_sets(evaluation.plan, curves)
    of_curves = Bootstrap(len(evaluation.plan.curve_keys), settings.bootstrap, seed)
    return Summary(
        made_by=f"distxml {__version__}",
        scored=evaluation.scored,
        dataset_path=str(evaluation.dataset.folder),
        dataset_name=metadata.name,
        dataset_sha256=evaluation.dataset_sha256,
        split=settings.split,
        images=images.num_rows,
        annotated=images.num_rows - images["pompom"].null_count,
        curve_images=len(evaluation.plan.curve_keys),
        settings=settings,
        left_out_patch_sizes=evaluation.plan.left_out_patch_sizes,
        seed=seed,
        classes=metadata.classes,
        metrics=(accuracy, *area_metrics(roc, precision_recall, probabilities, label, of_images), *means),
        aopc=tuple(aopc_table(sets, of_curves)),
        aopc_overall=tuple(aopc_overall(sets, of_curves)),
        versus_random=tuple(versus_random(sets, of_curves)),
        roc=roc,
        precision_recall=precision_recall,
        confusion=confusion_matrix(predicted, label, len(metadata.classes)),
    )
