"""The model that was scored and the images that it was scored on, opened again."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from distxml.attribution.explained_model import ExplainedModel
from distxml.checksums import noted_sum
from distxml.config.phases import PhaseName
from distxml.config.recipe import Recipe
from distxml.config.run_folder import RunFolder
from distxml.data.location import locate
from distxml.data.reader import SplitReader
from distxml.data.rows import Sample, decode
from distxml.data.schema import Dataset, Split, open_dataset
from distxml.errors import UserError
from distxml.evaluation.results import Results
from distxml.models.checkpoint import CARD_NAME, WEIGHTS_NAME, LoadedModel, ModelCard, check_classes, load_model

AGAIN = "run `distxml evaluate` again"


@dataclass(frozen=True)
class ScoredRun:
    """What pictures are made from.

    Attributes:
        explained: what was scored; of a run that was not evaluated, the joint model as it is.
        card: of the scored model.
        dataset: holds the images.
        split: that was scored, or would be.
        explainer: folder of the checkpoint whose heatmaps are the in-model ones, relative to the run's.
    """

    explained: ExplainedModel
    card: ModelCard
    dataset: Dataset
    split: Split
    explainer: str

    def samples(self, keys: Sequence[str]) -> list[Sample]:
        """The images of those keys, in that order; only their rows are kept in memory.

        Raises:
            UserError: one is no longer there.
        """
        reader = SplitReader(self.dataset, self.split)
        place_of_key = {key: place for place, key in enumerate(reader.index().keys)}
        missing = set(keys) - set(place_of_key)
        if missing:
            raise UserError(
                f"dataset {self.dataset.folder}: image {min(missing)} was scored but is no longer in its {self.split} "
                "split"
            )
        rows = reader.rows_at(sorted({place_of_key[key] for key in keys}))
        samples = {row.key: decode(row, self.card.image_size) for row in rows}
        return [samples[key] for key in keys]


def open_run(run: RunFolder, recipe: Recipe, results: Results | None) -> ScoredRun:
    """The model and dataset of an evaluated run, or of one that only has its last checkpoint.

    Raises:
        UserError: the dataset or a checkpoint is missing, or has changed since the evaluation.
    """
    if results is None:
        return _not_evaluated(run, recipe)
    summary = results.summary
    scored = summary.scored
    dataset = _dataset(summary.dataset_path, recipe.dataset.path)
    if dataset.sha256 != summary.dataset_sha256:
        raise UserError(f"the dataset in {dataset.folder} is not the one that was scored; {AGAIN}")
    model = _scored_model(run, scored.checkpoint, scored.sha256, dataset)
    explainer = model
    if scored.explainer_checkpoint != scored.checkpoint:
        explainer = _scored_model(run, scored.explainer_checkpoint, scored.explainer_sha256, dataset)
    explained = ExplainedModel(scored.gating, model.model, explainer.model)
    return ScoredRun(explained, model.card, dataset, summary.split, scored.explainer_checkpoint)


def _not_evaluated(run: RunFolder, recipe: Recipe) -> ScoredRun:
    dataset = _dataset(recipe.dataset.path)
    folder = run.checkpoint(PhaseName.JOINT, recipe.evaluation.checkpoint)
    run.fetch(folder, CARD_NAME, WEIGHTS_NAME)
    if not folder.is_dir():
        raise UserError("the joint phase has not written a checkpoint yet")
    loaded = _model(folder, dataset)
    explained = ExplainedModel("recompute", loaded.model, loaded.model)
    return ScoredRun(explained, loaded.card, dataset, recipe.evaluation.split, folder.relative_to(run.path).as_posix())


def _dataset(*places: str) -> Dataset:
    """The dataset in the first place that is there: it may have moved since it was scored."""
    found = next((place for place in places if locate(place).is_folder()), places[-1])
    return open_dataset(found)


def _scored_model(run: RunFolder, name: str, sha256: str, dataset: Dataset) -> LoadedModel:
    folder = run.path / name
    if not folder.resolve().is_relative_to(run.path.resolve()):
        raise UserError(f"{run.evaluation}: the scored checkpoint {folder} lies outside the run")
    run.fetch(folder, CARD_NAME, WEIGHTS_NAME)
    loaded = _model(folder, dataset)  # first: of a damaged file nobody is to make an evaluation
    if noted_sum(folder, WEIGHTS_NAME) != sha256:
        raise UserError(f"the weights in {folder} are not those that were scored; {AGAIN}")
    return loaded


def _model(folder: Path, dataset: Dataset) -> LoadedModel:
    loaded = load_model(folder)
    loaded.model.requires_grad_(False)
    check_classes(loaded.card, dataset.metadata.classes, folder, str(dataset.folder))
    return loaded
