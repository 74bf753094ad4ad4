"""`ScoringWorker`: an actor that holds the model and scores task after task."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch

from distxml.attribution.explained_model import ExplainedModel
from distxml.checksums import noted_sum
from distxml.data.reader import SplitReader
from distxml.data.schema import reopen_dataset
from distxml.errors import UserError, is_disk_full, reason_of
from distxml.evaluation.scoring.plan import ScoringSpec
from distxml.evaluation.scoring.scorer import ImageScorer
from distxml.evaluation.workers.journal import RowJournal
from distxml.evaluation.workers.tasks import Task
from distxml.models.checkpoint import CARD_NAME, WEIGHTS_NAME, load_model
from distxml.models.joint import JointModel
from distxml.storage.pinned import PinnedFolder


@dataclass(frozen=True)
class Weights:
    """A checkpoint's folder, and the SHA-256 of the weights that were in it when the evaluation began."""

    folder: PinnedFolder
    sha256: str

    def load(self) -> JointModel:
        """The model.

        Raises:
            UserError: it is not what was written, or the weights are others by now.
        """
        with self.folder.here(CARD_NAME, WEIGHTS_NAME) as folder:
            model = load_model(folder).model
            is_same = noted_sum(folder, WEIGHTS_NAME) == self.sha256  # after loading: weights never change back
        if not is_same:
            raise UserError(
                f"checkpoint {self.folder.path}: was replaced during the evaluation; run it again after training"
            )
        return model


@dataclass(frozen=True)
class WorkerInputs:
    """What every worker needs.

    Attributes:
        spec: of the evaluation.
        dataset_sha256: of the dataset that the driver has opened: `Dataset.sha256`.
        scored: folder and checksum of the model that is scored.
        explainer: of the one whose explainer makes the in-model heatmaps; may be the same.
        journal: where finished rows go.
    """

    spec: ScoringSpec
    dataset_sha256: str
    scored: Weights
    explainer: Weights
    journal: RowJournal


class ScoringWorker:
    """An actor of the pool: loads the models once, then scores tasks and writes their rows into the journals."""

    def __init__(self, *parts: WorkerInputs) -> None:
        """`parts`: of the same dataset and checkpoints."""
        self.parts = parts

    @cached_property
    def reader(self) -> SplitReader:
        """Reads the split that is scored, of the dataset that the driver has opened.

        Raises:
            UserError: there is another dataset here, or by now.
        """
        inputs = self.parts[0]
        recipe = inputs.spec.recipe
        dataset = reopen_dataset(recipe.dataset.path, inputs.dataset_sha256)
        return SplitReader(dataset, recipe.evaluation.split, recipe.dataset.cache)

    @cached_property
    def scorers(self) -> list[ImageScorer]:
        """Made on first use: an error in the constructor would reach the driver as a dead actor."""
        loaded = {weights: weights.load() for inputs in self.parts for weights in (inputs.scored, inputs.explainer)}
        return [make_scorer(inputs, loaded) for inputs in self.parts]

    def load(self) -> None:
        """Open the split and load the models."""
        _ = self.reader, self.scorers

    def score(self, task: Task) -> None:
        """Score the images and methods of a task; their rows are in its part's journal when this returns.

        Raises:
            UserError: an image or a heatmap is unusable, the GPU's memory is too small, or rows cannot be written.
        """
        images = list(self.reader.rows_at(task.rows))
        inputs, scorer = self.parts[task.part], self.scorers[task.part]
        try:
            if task.methods:
                inputs.journal.add_methods(scorer.score(images, task.methods))
            else:
                inputs.journal.add_images(scorer.describe(images))
        except torch.OutOfMemoryError:
            size = inputs.spec.recipe.evaluation.batch_size
            raise UserError(
                f"evaluation.batch_size={size}: the GPU's memory is too small; lower it, then the same command resumes"
            ) from None
        except OSError as error:
            remedy = _remedy(error)
            if remedy is None:
                raise
            raise UserError(
                f"{inputs.journal.folder}: cannot be written ({reason_of(error)}); {remedy}, then the same "
                "command resumes"
            ) from None


def _remedy(error: OSError) -> str | None:
    """What the user can do about an error that would come again; None for others."""
    if is_disk_full(error):
        return "free some space"
    if isinstance(error, FileNotFoundError):
        return "put run.folder on a disk that every node shares, or into object storage"
    return None


def make_scorer(inputs: WorkerInputs, loaded: Mapping[Weights, JointModel]) -> ImageScorer:
    """The scorer of this process, on the GPU that it was given, if any; `loaded`: its models."""
    recipe = inputs.spec.recipe
    torch.set_num_threads(recipe.scaling.cpus_per_worker)
    torch.backends.cudnn.allow_tf32 = False  # TF32 rounds to ten bits: results would depend on the batch size
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.deterministic = True
    gpu = recipe.scaling.gpus_per_worker > 0 and torch.cuda.is_available()
    explained = ExplainedModel(recipe.scored_gating, loaded[inputs.scored], loaded[inputs.explainer])
    return ImageScorer(explained, inputs.spec, torch.device("cuda" if gpu else "cpu"))
