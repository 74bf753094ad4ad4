"""Draws the README's pictures: image, heatmap and overlay of test images, drawn by seed, of a finished run.

Usage: python docs/heatmap_grid.py RUN OUT.png [--rows 3] [--columns 4] [--only KEY_PREFIX]
"""

import argparse
import random
from pathlib import Path

import cv2
import numpy as np
import torch

from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.data.reader import SplitReader
from distxml.data.rows import Row, collate, decode
from distxml.data.schema import open_dataset
from distxml.models.checkpoint import LoadedModel, load_model
from distxml.monitoring.overlay import triptych

SEED = 0
SIDE = 96
"""Pixels of each image in the grid."""
MARGIN = 6


def main() -> None:
    """Write the grid."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--rows", type=int, default=3)
    parser.add_argument("--columns", type=int, default=4)
    parser.add_argument("--only", default="", help="take only images whose key begins so")
    arguments = parser.parse_args()
    run = RunFolder(arguments.run)
    model = load_model(run.checkpoint(PhaseName.JOINT, "last"))
    reader = SplitReader(open_dataset(run.recipe().dataset.path), "test")
    rows = [row for row in reader.rows(0, len(reader)) if row.key.startswith(arguments.only)]
    drawn = random.Random(SEED).sample(rows, arguments.rows * arguments.columns)
    pictures = [_picture(model, row) for row in drawn]
    lines = [
        np.hstack(pictures[start : start + arguments.columns]) for start in range(0, len(pictures), arguments.columns)
    ]
    cv2.imwrite(str(arguments.out), cv2.cvtColor(np.vstack(lines), cv2.COLOR_RGB2BGR))


@torch.no_grad()
def _picture(loaded: LoadedModel, row: Row) -> np.ndarray:
    sample = decode(row, loaded.card.image_size)
    heatmap = loaded.model(collate([sample]).image).heatmap[0, 0].numpy()
    size = (SIDE, SIDE)
    image = cv2.resize(sample.image, size, interpolation=cv2.INTER_NEAREST).astype(np.uint8)
    heat = cv2.resize(heatmap, size, interpolation=cv2.INTER_NEAREST).astype(np.float32)
    white = (255, 255, 255)
    return cv2.copyMakeBorder(triptych(image, heat), 0, MARGIN, 0, 2 * MARGIN, cv2.BORDER_CONSTANT, value=white)


if __name__ == "__main__":
    main()
