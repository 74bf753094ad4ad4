"""What is checked before anything starts: the dataset suits the recipe, the model builds, a batch runs through."""

import math
from contextlib import closing
from dataclasses import dataclass

import torch

from distxml.config import Recipe
from distxml.config.compute import ComputeSettings
from distxml.config.phases import PhaseName
from distxml.data.groups import require_one_split
from distxml.data.loader import Loader
from distxml.data.reader import SplitReader
from distxml.data.sampler import Rank, Shuffle, max_rows_held, max_rows_held_evaluating, number_of_steps
from distxml.data.schema import SPLITS, Dataset, Split, open_dataset
from distxml.errors import UserError, reason_of
from distxml.losses import class_weights
from distxml.models.checkpoint import ModelCard, build_empty_model, build_model
from distxml.training.epoch import train_step
from distxml.training.learner import Learner
from distxml.training.warm_start import apply_warm_start


def check_dataset(recipe: Recipe) -> Dataset:
    """The recipe's dataset, fit for training.

    Raises:
        UserError: it is missing, too small, has one class, lacks masks that the loss needs, or the class weights
            do not match its classes.
    """
    dataset = open_dataset(recipe.dataset.path)
    metadata, path = dataset.metadata, recipe.dataset.path
    _check_keys_and_groups(dataset)
    cache = recipe.dataset.cache
    if cache is not None and cache.exists() and not cache.is_dir():
        raise UserError(f"dataset.cache={cache}: is not a folder; name another")
    if len(metadata.classes) < 2:
        raise UserError(f"dataset {path}: has {len(metadata.classes)} class; a classifier needs at least 2")
    for split in SPLITS:
        if metadata.rows(split) == 0:
            raise UserError(f"dataset {path}: the {split} split is empty; build it again with other splits")
    _check_workers(recipe, metadata.rows("train"))
    _check_loss(recipe, dataset)
    return dataset


def _check_workers(recipe: Recipe, images: int) -> None:
    """No worker may be without an image in a step; `images` is the number of training images."""
    workers, batch_size = recipe.scaling.workers, recipe.loader.batch_size
    if workers > images:
        raise UserError(f"scaling.workers={workers}: only {images} training images; lower it")
    if images // number_of_steps(images, batch_size) < workers:
        raise UserError(
            f"scaling.workers={workers}: {images} training images in batches of at most {batch_size} leave a worker "
            "without an image; raise loader.batch_size or lower the workers"
        )


def _check_loss(recipe: Recipe, dataset: Dataset) -> None:
    """The loss needs masks, and its class weights belong to the dataset's classes."""
    metadata = dataset.metadata
    if recipe.loss.kind == "hybrid" and metadata.annotated["train"] == 0:
        raise UserError(
            f"loss.kind=hybrid: no training image of dataset {recipe.dataset.path} has a mask; use "
            "loss.kind=unsupervised or build the dataset with masks"
        )
    weights = recipe.loss.class_weights
    if isinstance(weights, tuple) and len(weights) != len(metadata.classes):
        raise UserError(
            f"loss.class_weights: {len(weights)} weights for {len(metadata.classes)} classes "
            f"({', '.join(metadata.classes)}); give one per class"
        )


def _check_keys_and_groups(dataset: Dataset) -> None:
    """No image may be in two splits, or twice in one, and no group in two splits; the images themselves are not read.

    Raises:
        UserError: one is.
    """
    split_of_key: dict[str, Split] = {}
    split_of_group: dict[str, Split] = {}
    for split in SPLITS:
        index = SplitReader(dataset, split).index()
        for key in index.keys:
            if key in split_of_key:
                raise UserError(
                    f"dataset {dataset.folder}: the key {key!r} is in {split_of_key[key]} and comes again in {split}; "
                    "build the dataset again"
                )
            split_of_key[key] = split
        for group in filter(None, index.groups):
            require_one_split(group, split, split_of_group, dataset)


def model_card(recipe: Recipe, dataset: Dataset) -> ModelCard:
    """The card of the model that a recipe trains on a dataset."""
    return ModelCard(
        settings=recipe.model,
        classes=dataset.metadata.classes,
        image_size=recipe.loader.image_size,
        images=dataset.metadata.image_rules(),
        dataset=dataset.metadata.name,
    )


def run_one_batch(recipe: Recipe, dataset: Dataset) -> dict[PhaseName, float]:
    """One training step of each phase on a fresh model, in this process, on the CPU; nothing is kept.

    Returns:
        Total loss of each phase's step, by phase.

    Raises:
        UserError: an image does not decode, or a loss is not finite.
    """
    rank = Rank(0, recipe.scaling.workers)
    loader = Loader(dataset, "train", recipe.loader, rank, recipe.run.seed, cache=recipe.dataset.cache)
    with closing(loader.training(epoch=0)) as batches:
        batch = next(batches)
    card = model_card(recipe, dataset)
    model = build_model(card)
    if recipe.warm_start is not None:
        apply_warm_start(model, recipe.warm_start, card)
    weights = class_weights(recipe.loss.class_weights, dataset.metadata.class_counts("train"))
    losses: dict[PhaseName, float] = {}
    recipe = recipe.model_copy(update={"compute": ComputeSettings(micro_batch=recipe.compute.micro_batch)})
    for phase in PhaseName:
        learner = Learner.build(recipe, phase, model, weights)
        try:
            output = train_step(learner, batch).output
        except (RuntimeError, ValueError) as error:
            raise UserError(
                f"phases.{phase}: a first batch does not run through ({reason_of(error)}); "
                "a larger loader.image_size or loader.batch_size, or a smaller model, may help"
            ) from None
        loss = learner.loss(
            output.logits, output.heatmap, batch.label, batch.mask, has_mask=batch.has_mask, weight=batch.weight
        )
        losses[phase] = float(loss.detach())
    if not all(math.isfinite(value) for value in losses.values()):
        raise UserError(f"the loss of a first batch is not finite ({losses}); check the images and the learning rates")
    return losses


@dataclass(frozen=True)
class ReadingBound:
    """Most encoded images of train and val that a worker's reading keeps in memory, and about how many bytes."""

    images: int
    bytes: int


def reading_bound(recipe: Recipe, dataset: Dataset) -> ReadingBound:
    """The bound for a recipe's workers, but for what is read ahead; bytes by the mean size of the images."""
    train, val = ([group.rows for shard in dataset.shards(part) for group in shard.groups] for part in ("train", "val"))
    shuffle = Shuffle(recipe.loader.batch_size, recipe.loader.shuffle_buffer, recipe.run.seed)
    workers = recipe.scaling.workers
    images = max_rows_held(train, shuffle, workers) + max_rows_held_evaluating(val, shuffle.buffer, workers)
    sizes = dataset.folder.files()
    mean = sum(sizes.get(shard.file, 0) for shard in dataset.metadata.shards) / dataset.metadata.all_rows
    return ReadingBound(images, round(images * mean))


def parameters(recipe: Recipe, dataset: Dataset) -> tuple[int, int]:
    """Numbers of parameters of the explainer and of the classifier."""
    with torch.device("meta"):
        model = build_empty_model(model_card(recipe, dataset))
    explainer = sum(p.numel() for p in model.explainer.parameters())
    return explainer, sum(p.numel() for p in model.classifier.parameters())
