"""About how long an evaluation takes: a few batches are timed where the workers would run."""

import time

import ray
import torch

from distxml.attribution.methods import METHODS
from distxml.cluster import connect
from distxml.config.evaluation import EvaluationSettings
from distxml.errors import UserError
from distxml.evaluation.evaluate import Left, work_of
from distxml.evaluation.prepare import Evaluation
from distxml.evaluation.workers.pool import own_error
from distxml.evaluation.workers.worker import Work, make_scorer

SECONDS_TO_TIME = 2.0
MAX_IMAGES_TIMED = 64
"""Of a batch: on a CPU a larger one would take long and say no more."""
SECONDS_FOR_A_PLACE = 60.0
"""The longest that is waited for the figure: other programs may hold the cluster for hours."""
SECONDS_TO_START = 15.0
"""Until Ray's workers have loaded torch and the model (2 cores, AMD EPYC)."""


def estimate_seconds(evaluation: Evaluation, left: Left) -> float | None:
    """Seconds for what is left, by the pace of a worker on the cluster that is joined; None where no CPU or GPU gets
    free to time one.

    Raises:
        UserError: the workers do not fit on the cluster, or cannot load the model.
    """
    scaling = evaluation.recipe.scaling
    connect(scaling.workers, scaling.cpus_per_worker, scaling.gpus_per_worker)
    timed = ray.remote(_seconds_of_pass).options(num_cpus=scaling.cpus_per_worker, num_gpus=scaling.gpus_per_worker)
    pace = timed.remote(work_of(evaluation, left.journal))
    if not ray.wait([pace], timeout=SECONDS_FOR_A_PLACE)[0]:
        ray.cancel(pace, force=True)
        return None
    try:
        each: float = ray.get(pace)
    except UserError as error:
        raise own_error(error) from None
    passes = left.passes + heatmap_passes(evaluation.recipe.evaluation, left)
    return SECONDS_TO_START + each * passes / scaling.workers


def heatmap_passes(settings: EvaluationSettings, left: Left) -> int:
    """Forward passes that take about as long as all heatmaps that are left to make."""
    return sum(
        len(task.rows) * METHODS[method].passes_per_heatmap(settings) for task in left.tasks for method in task.methods
    )


@torch.inference_mode()
def _seconds_of_pass(work: Work) -> float:
    """Of one image in a full batch, scored as a perturbed one is."""
    scorer = make_scorer(work)
    batch = min(scorer.batch_size, MAX_IMAGES_TIMED)
    image = torch.rand(batch, 3, *work.brief.image_size, device=scorer.device)
    gate = scorer.explained.gate(image)
    times: list[float] = []
    while sum(times) < SECONDS_TO_TIME or len(times) < 2:
        started = time.monotonic()
        scorer.explained.logits(image, gate).sum().item()  # waits for a GPU
        times.append(time.monotonic() - started)
    return min(times) / batch  # the first ones warm up
