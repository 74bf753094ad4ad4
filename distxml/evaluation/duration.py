"""Estimates how long an evaluation takes: a few batches are timed where the workers would run."""

import time

import ray
import torch

from distxml.attribution.methods import METHODS
from distxml.cluster import connect
from distxml.config.evaluation import EvaluationSettings
from distxml.errors import UserError
from distxml.evaluation.evaluate import RemainingWork, worker_inputs
from distxml.evaluation.prepare import Evaluation
from distxml.evaluation.workers.pool import own_error
from distxml.evaluation.workers.worker import ScoringWorker, WorkerInputs

SECONDS_TO_TIME = 2.0
"""How long batches are timed for, at least."""
MAX_IMAGES_TIMED = 64
"""Images per timed batch: on a CPU a larger batch takes long and gives the same estimate."""
MAX_SECONDS_TO_WAIT = 60.0
"""For a free CPU or GPU to time on: other programs may hold the cluster for hours."""
SECONDS_TO_START = 15.0
"""Until Ray's workers have loaded torch and the model (2 cores, AMD EPYC)."""


def estimate_seconds(evaluation: Evaluation, remaining: RemainingWork) -> float | None:
    """Seconds for the remaining work, from the speed of one worker on the connected cluster; None where no CPU or GPU
    becomes free to time it.

    Raises:
        UserError: the workers do not fit on the cluster, or cannot load the model.
    """
    scaling = evaluation.recipe.scaling
    connect(scaling.workers, scaling.cpus_per_worker, scaling.gpus_per_worker)
    timed = ray.remote(_seconds_per_pass).options(num_cpus=scaling.cpus_per_worker, num_gpus=scaling.gpus_per_worker)
    seconds_per_pass = timed.remote(worker_inputs(evaluation, remaining.journal))
    if not ray.wait([seconds_per_pass], timeout=MAX_SECONDS_TO_WAIT)[0]:
        ray.cancel(seconds_per_pass, force=True)
        return None
    try:
        each: float = ray.get(seconds_per_pass)
    except UserError as error:
        raise own_error(error) from None
    passes = remaining.passes + heatmap_passes(evaluation.recipe.evaluation, remaining)
    return SECONDS_TO_START + each * passes / scaling.workers


def heatmap_passes(settings: EvaluationSettings, remaining: RemainingWork) -> int:
    """Forward passes that take about as long as computing all remaining heatmaps."""
    return sum(
        len(task.rows) * METHODS[method].passes_per_heatmap(settings)
        for task in remaining.tasks
        for method in task.methods
    )


@torch.inference_mode()
def _seconds_per_pass(inputs: WorkerInputs) -> float:
    """For one image of a full batch, scored as a perturbed image is."""
    scorer = ScoringWorker(inputs).scorers[0]
    batch = min(scorer.batch_size, MAX_IMAGES_TIMED)
    image = torch.rand(batch, 3, *inputs.spec.image_size, device=scorer.device)
    gate = scorer.explained.gate(image)
    times: list[float] = []
    while sum(times) < SECONDS_TO_TIME or len(times) < 2:
        started = time.monotonic()
        scorer.explained.logits(image, gate).sum().item()  # waits for a GPU
        times.append(time.monotonic() - started)
    return min(times) / batch  # the first ones warm up
