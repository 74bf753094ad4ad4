"""Everything that an evaluation needs, opened and checked before any worker starts."""

from dataclasses import dataclass
from pathlib import Path

from distxml.config.locations import absolute
from distxml.config.recipe import Recipe
from distxml.config.run_folder import RunFolder
from distxml.data.digest import file_digest
from distxml.data.reader import SplitReader
from distxml.data.schema import METADATA_NAME, Dataset, Split, open_dataset
from distxml.errors import UserError
from distxml.evaluation.plan import Plan, make_plan
from distxml.evaluation.results import Scored
from distxml.evaluation.store import require_writable
from distxml.models.checkpoint import CARD_NAME, WEIGHTS_NAME, check_classes, load_model


@dataclass(frozen=True)
class Evaluation:
    """One evaluation, ready to go.

    Attributes:
        recipe: with the evaluation's settings, dataset and scaling as they will be used.
        checkpoint: absolute path of the checkpoint's folder.
        scored: what is known of that model.
        dataset: opened, with an absolute path.
        dataset_sha256: checksum of its metadata.
        label_of_key: label of every image of the split.
        plan: what will be done.
    """

    recipe: Recipe
    checkpoint: Path
    scored: Scored
    dataset: Dataset
    dataset_sha256: str
    label_of_key: dict[str, int]
    plan: Plan


def prepare(run: RunFolder, recipe: Recipe) -> Evaluation:
    """Open the run's checkpoint and the dataset, and plan.

    Raises:
        UserError: training has not come to phase 3, the dataset is not the model's, or the split is empty.
    """
    require_writable(run.evaluation)
    checkpoint = run.checkpoint(3, recipe.evaluation.checkpoint)
    name = checkpoint.relative_to(run.path).as_posix()
    if not (checkpoint / CARD_NAME).is_file():
        raise UserError(
            f"run {run.path}: no checkpoint {name}; finish training first "
            "(`distxml train` with the same run.name goes on where it stopped)"
        )
    card = load_model(checkpoint).card
    located = recipe.dataset.model_copy(update={"path": absolute(recipe.dataset.path)})
    recipe = recipe.model_copy(update={"dataset": located})  # workers have working directories of their own
    dataset = open_dataset(located.path)
    check_classes(card, dataset.metadata.classes, checkpoint, str(dataset.folder))
    labels = _labels(dataset, recipe.evaluation.split)
    return Evaluation(
        recipe=recipe,
        checkpoint=checkpoint.resolve(),
        scored=Scored(
            checkpoint=name,
            sha256=file_digest(checkpoint / WEIGHTS_NAME),
            classifier=card.settings.classifier,
            image_size=card.image_size,
            training_finished=run.finished.is_file(),
        ),
        dataset=dataset,
        dataset_sha256=dataset.folder.digest(METADATA_NAME),
        label_of_key=labels,
        plan=make_plan(recipe.evaluation, card.image_size, labels, recipe.run.seed),
    )


def _labels(dataset: Dataset, split: Split) -> dict[str, int]:
    index = SplitReader(dataset, split).index()
    labels = dict(zip(index.keys, index.labels, strict=True))
    if len(labels) < len(index.keys):
        raise UserError(f"dataset {dataset.folder}: a key comes twice in the split {split!r}; build the dataset again")
    if not labels:
        raise UserError(f"dataset {dataset.folder}: its split {split!r} holds no images; set evaluation.split")
    return labels
