"""What the best trials of a sweep see: the same few validation images through each of their models."""

from dataclasses import dataclass

import numpy as np
import torch

from distxml.config import Recipe
from distxml.config.phases import PhaseName
from distxml.data.reader import SplitReader
from distxml.data.rows import collate, decode
from distxml.data.schema import open_dataset
from distxml.data.subsets import balanced_sample
from distxml.errors import UserError
from distxml.models.checkpoint import load_model
from distxml.monitoring.overlay import colorize
from distxml.report.pixels import data_uri, outlined
from distxml.tuning.records import SweepFolder, TrialRecord

IMAGES = 6
MAX_TRIALS = 8


@dataclass(frozen=True)
class HeatmapRow:
    """One trial's heatmaps, as data URIs, in the order of the images."""

    number: int
    heatmaps: list[str]


@dataclass(frozen=True)
class HeatmapTable:
    """The images, the mask outlined, and each trial's heatmaps of them."""

    keys: list[str]
    images: list[str]
    rows: list[HeatmapRow]


def heatmap_table(folder: SweepFolder, base: Recipe, best: list[TrialRecord]) -> HeatmapTable:
    """Made with the last checkpoint of each trial.

    Raises:
        UserError: the dataset or a checkpoint is missing.
    """
    dataset = open_dataset(base.dataset.path)
    reader = SplitReader(dataset, "val", base.dataset.cache)
    chosen = sorted(balanced_sample(list(reader.index().labels), IMAGES, base.quick_scores.seed))
    encoded = list(reader.rows_at(chosen))
    samples = [decode(row, base.loader.image_size) for row in encoded]
    images = [outlined(sample.image, sample.mask) for sample in samples]
    rows = []
    for record in best[:MAX_TRIALS]:
        checkpoint = folder.run(record.number).checkpoint(PhaseName.JOINT, "last")
        if not checkpoint.is_dir():
            raise UserError(f"trial {record.number} has no checkpoint {checkpoint}")
        loaded = load_model(checkpoint)
        batch = collate([decode(row, loaded.card.image_size) for row in encoded])  # the size may be searched
        with torch.inference_mode():
            heatmaps = loaded.model(batch.image).heatmap[:, 0].float().numpy()  # B×H×W
        rows.append(HeatmapRow(record.number, [data_uri(colorize(np.asarray(heatmap))) for heatmap in heatmaps]))
    return HeatmapTable([row.key for row in encoded], [data_uri(image) for image in images], rows)
