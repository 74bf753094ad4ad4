"""Epochs and steps that callbacks can be told of without training."""

import torch

from distxml.config import Recipe
from distxml.models.joint import JointModel, JointOutput
from distxml.training.callbacks.base import EpochContext
from distxml.training.epoch import Step
from distxml.training.learner import Learner
from distxml.training.metrics import EpochSums
from distxml.training.state import TrainState

EPOCH_STEPS, EPOCH_IMAGES = 5, 9


def a_step(gradient_norm: float) -> Step:
    return Step(JointOutput(torch.zeros(1, 2), torch.zeros(1, 1, 4, 4)), torch.tensor(gradient_norm))


A_STEP = a_step(1.0)


def a_recipe() -> Recipe:
    rates = {"classifier": (0.1, 0), "explainer": (0, 0.1), "joint": (0.1, 0.1)}
    phases = {
        name: {"epochs": 1, "alpha": 0.5, "lr_classifier": classifier, "lr_explainer": explainer}
        for name, (classifier, explainer) in rates.items()
    }
    model = {"classifier": "small_resnet", "width": 2, "explainer_width": 2}
    run = {"name": "run"}
    return Recipe.model_validate({"dataset": {"path": "x"}, "model": model, "phases": phases, "run": run})


def an_epoch(state: TrainState | None = None, recipe: Recipe | None = None) -> EpochContext:
    """One that has counted an image and a pair of images."""
    state, recipe = state or TrainState(), recipe or a_recipe()
    learner = Learner.build(recipe, state.phase, JointModel(recipe.model, classes=2), None)
    metrics = learner.new_metrics(EpochSums(images=1.0, class_weight=1.0, pairs=1.0))
    return EpochContext(state=state, learner=learner, metrics=metrics, steps=EPOCH_STEPS, images=EPOCH_IMAGES)
