"""`train.py worker`: a worker's images per second beside a bare loop's.

The worker is a `Trainer` in this process, in the joint phase: loader, step, counting, looks at the heatmap, log,
TensorBoard,
events. The bare loop has the same network, weights, layout, optimizer and images, decoded beforehand and held as
tensors, and does nothing but forward, loss, backward, step. `worker, data in memory` is the worker with those tensors:
what it loses is not the loader's.
"""

import time
from collections.abc import Callable
from pathlib import Path

import torch
from train_bare import bare_steps
from train_material import Work, fresh_model, from_memory, in_process_trainer
from train_rounds import Measure, available_cores, medians, pin, ranges, significant, take_turns

from distxml.config import Recipe
from distxml.config.phases import PhaseName
from distxml.data.batch import Batch
from distxml.models.joint import JointModel
from distxml.training.learner import Learner, build_optimizer, set_learning
from distxml.training.state import TrainState
from distxml.training.trainer import Trainer

PHASE = PhaseName.JOINT
WORKER, IN_MEMORY, BARE = "worker", "worker, data in memory", "bare loop"


def compare_worker(works: list[Work], folder: Path, rounds: int) -> dict[str, object]:
    """Figures for each work on one core and on two, with one torch thread."""
    torch.set_num_threads(1)
    cores = available_cores()
    results: dict[str, dict[str, object]] = {}
    for work in works:
        candidates = _candidates(work, folder)
        results[work.name] = {}
        for number, title in ((1, "1 core"), (2, "2 cores"))[: len(cores)]:
            pin(cores[:number])
            results[work.name][title] = _compared(candidates, rounds, f"{work.name}, {title}")
        pin(cores)
    return {**results}


def _compared(candidates: dict[str, Measure], rounds: int, title: str) -> dict[str, object]:
    measured = take_turns(candidates, rounds, title)
    middle = medians(measured)
    return {
        "images_a_second": {name: significant(value) for name, value in middle.items()},
        "range": ranges(measured),
        "to_bare_loop": {name: round(middle[name] / middle[BARE], 3) for name in (WORKER, IN_MEMORY)},
    }


def _candidates(work: Work, folder: Path) -> dict[str, Measure]:
    recipe = work.load(folder, f"run.name={work.recipe}-worker")
    trainer = in_process_trainer(recipe, work.dataset)
    kept = from_memory(in_process_trainer(work.load(folder, f"run.name={work.recipe}-kept"), work.dataset))
    batches = list(trainer.data.train.training(0))
    return {
        WORKER: worker_epoch(trainer),
        IN_MEMORY: worker_epoch(kept),
        BARE: bare_epoch(recipe, fresh_model(recipe, work.dataset), batches),
    }


def worker_epoch(trainer: Trainer) -> Measure:
    """The training part of one epoch of the joint phase after the other, without validation; images per second."""
    state = TrainState(phase=PHASE)
    learner = trainer._learner(state)

    def measure() -> float:
        seconds = _seconds(lambda: _train(trainer, state, learner))
        return len(trainer.data.train.reader) / seconds

    return measure


def _train(trainer: Trainer, state: TrainState, learner: Learner) -> None:
    hook, _ = trainer._train(state, learner)
    assert hook.steps_made == hook.epoch.steps, "the epoch was cut short: the figures would mean nothing"
    state.leave_epoch(hook.steps_made)


def bare_epoch(recipe: Recipe, model: JointModel, batches: list[Batch]) -> Measure:
    """One pass over batches in memory after the other; images per second."""
    phase = recipe.phases[PHASE]
    set_learning(model, phase)
    optimizer = build_optimizer(model, phase, recipe.optimizer)
    images = sum(len(batch) for batch in batches)

    def measure() -> float:
        return images / _seconds(lambda: bare_steps(recipe, model, optimizer, batches))

    return measure


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
