"""`train.py procedure`: the time of the HVZ recipe's three phases, ours and by the reference's procedure.

Seconds of a training step and of an evaluated batch are measured, in turns, on batches that lie in memory for both;
epochs are put together from them: 455 training and 114 validation images in batches of 8 are 57 steps and 15 batches.

- ours: 57 steps and 15 batches per epoch; a phase begins and ends with 15 batches more (its start,
  its curves).
- the reference: 57 steps and 57 + 15 batches per epoch.

Left out for both: decoding (the reference's extra pass would decode too), checkpoints, pictures. Left out for ours:
what a worker does beside its steps, which `train.py worker` measures.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from train_material import Work, fresh_model
from train_reference import Reference
from train_rounds import Measure, medians, ranges, significant, take_turns

from distxml.config import Recipe
from distxml.config.compute import ComputeSettings
from distxml.config.phases import PhaseName
from distxml.data.batch import Batch
from distxml.data.loader import Loader
from distxml.data.sampler import Rank
from distxml.training.epoch import train_epoch
from distxml.training.learner import Learner
from distxml.training.validation import validate

TRAIN_IMAGES, VAL_IMAGES = 455, 114
"""Of ImageNet-HVZ as the paper splits it."""
OURS, REFERENCE, PLAIN = "ours", "reference's procedure", "reference's procedure, torch's defaults"


@dataclass(frozen=True)
class Seconds:
    """Of one training step and of one evaluated batch."""

    step: float
    batch: float


def compare_procedure(work: Work, folder: Path, steps: int, rounds: int) -> dict[str, object]:
    """Seconds of steps, epochs, phases and of the whole recipe; how much faster ours is."""
    recipe = work.load(folder, "run.name=procedure")
    loader = Loader(work.dataset, "train", recipe.loader, Rank(), recipe.run.seed)
    batches = list(loader.training(0))[:steps]
    measured = take_turns(_candidates(recipe, work, batches), rounds, work.name)
    middle = medians(measured)
    by_phase = {name: _by_phase(recipe, middle, name) for name in (OURS, REFERENCE, PLAIN)}
    return {
        "batches": f"{len(batches)} of {len(batches[0])} images at {'x'.join(map(str, recipe.loader.image_size))}",
        "seconds": {name: significant(value) for name, value in middle.items()},
        "range": ranges(measured),
        "composition": (__doc__ or "").split("\n\n")[2].splitlines(),
        "epochs": [phase.epochs for _, phase in recipe.phases.items()],
        "phase_hours": {
            name: [significant(value / 3600) for value in values.values()] for name, values in by_phase.items()
        },
        "recipe_hours": {name: significant(sum(values.values()) / 3600) for name, values in by_phase.items()},
        "ours_is_faster_by": {name: _gains(by_phase[OURS], by_phase[name]) for name in (REFERENCE, PLAIN)},
    }


def _gains(ours: dict[PhaseName, float], theirs: dict[PhaseName, float]) -> dict[str, float]:
    each: dict[str, float] = {phase: round(theirs[phase] / ours[phase], 3) for phase in PhaseName}
    return each | {"recipe": round(sum(theirs.values()) / sum(ours.values()), 3)}


def _by_phase(recipe: Recipe, middle: dict[str, float], name: str) -> dict[PhaseName, float]:
    """Seconds of each phase."""
    compose = our_phase if name == OURS else reference_phase
    return {
        phase: compose(
            Seconds(middle[f"{name}, {phase} phase, step"], middle[f"{name}, {phase} phase, batch"]),
            settings.epochs or 0,
            recipe.loader.batch_size,
        )
        for phase, settings in recipe.phases.items()
    }


def our_phase(seconds: Seconds, epochs: int, batch_size: int) -> float:
    """Seconds of a phase that validates before its first epoch, after each, and once more at its end."""
    steps, batches = math.ceil(TRAIN_IMAGES / batch_size), math.ceil(VAL_IMAGES / batch_size)
    return epochs * (steps * seconds.step + batches * seconds.batch) + 2 * batches * seconds.batch


def reference_phase(seconds: Seconds, epochs: int, batch_size: int) -> float:
    """Seconds of a phase whose epochs end with a pass over the training set and one over the validation set."""
    steps, batches = math.ceil(TRAIN_IMAGES / batch_size), math.ceil(VAL_IMAGES / batch_size)
    return epochs * (steps * seconds.step + (steps + batches) * seconds.batch)


def _candidates(recipe: Recipe, work: Work, batches: list[Batch]) -> dict[str, Measure]:
    """For each phase, in turn: everybody's step, everybody's evaluated batch."""
    plain = recipe.model_copy(update={"compute": ComputeSettings(channels_last=False)})
    candidates: dict[str, Measure] = {}
    for phase in PhaseName:
        learner = Learner.build(recipe, phase, fresh_model(recipe, work.dataset), None)
        rivals = {
            REFERENCE: Reference.build(recipe, phase, fresh_model(recipe, work.dataset), fused=True),
            PLAIN: Reference.build(plain, phase, fresh_model(plain, work.dataset), fused=False),
        }
        candidates[f"{OURS}, {phase} phase, step"] = _our_step(learner, batches)
        for name, rival in rivals.items():
            candidates[f"{name}, {phase} phase, step"] = _per_batch(rival.train, batches)
        candidates[f"{OURS}, {phase} phase, batch"] = _per_batch(_our_evaluation(learner), batches)
        for name, rival in rivals.items():
            candidates[f"{name}, {phase} phase, batch"] = _per_batch(rival.evaluate, batches)
    return candidates


def _our_step(learner: Learner, batches: list[Batch]) -> Measure:
    def train(batches: list[Batch]) -> None:
        train_epoch(learner, iter(batches), learner.new_metrics(), lambda number, step: True)

    return _per_batch(train, batches)


def _our_evaluation(learner: Learner) -> Callable[[list[Batch]], object]:
    return lambda batches: validate(learner, iter(batches))


def _per_batch(work: Callable[[list[Batch]], object], batches: list[Batch]) -> Measure:
    """Seconds of `work` per batch."""

    def measure() -> float:
        started = time.perf_counter()
        work(batches)
        return (time.perf_counter() - started) / len(batches)

    return measure
