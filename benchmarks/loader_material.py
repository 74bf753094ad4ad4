"""Datasets for `benchmarks/loader.py`: photo-like JPEGs with box masks, and polygons."""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from distxml.config.dataset import DatasetRecipe
from distxml.data.schema import Dataset, open_dataset
from distxml.sources.building.build import build_dataset

HEIGHT, WIDTH = 375, 500
JPEG_QUALITY = 90
SPLITS = {"train": 0.8, "val": 0.1, "test": 0.1}


def photos(folder: Path, images: int) -> Dataset:
    """JPEGs of 500×375 pixels, smooth colours with edges and grain, and PNG masks of a box; built from Pascal VOC."""
    where = {"images": folder / "voc" / "images", "annotations": folder / "voc" / "annotations"}
    for path in where.values():
        path.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(images):
        cv2.imwrite(str(where["images"] / f"{number}.jpg"), _photo(rng), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        (where["annotations"] / f"{number}.xml").write_text(_annotation("ab"[number % 2], rng))
    return _built(folder / "photos", {"kind": "voc"} | where)


def polygons(folder: Path, images: int) -> Dataset:
    """The demo's polygons, 48×48, as PNG."""
    return _built(folder / "polygons", {"kind": "polygons", "images": images, "image_size": 48})


def _built(folder: Path, source: Mapping[str, object]) -> Dataset:
    recipe = {"name": folder.name, "source": source, "splits": SPLITS}
    build_dataset(DatasetRecipe.model_validate(recipe), folder)
    return open_dataset(folder)


def _photo(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Noise of three sizes, two filled shapes with hard edges, and grain: about 80 KB as a JPEG of quality 90."""
    layers = ((2, 0.5), (8, 0.3), (32, 0.2))
    image = sum(_smooth(rng, cells) * share for cells, share in layers) + rng.normal(0, 8, (HEIGHT, WIDTH, 1))
    image = np.clip(image, 0, 255).astype(np.uint8)
    for _ in range(2):
        centre = (int(rng.integers(WIDTH)), int(rng.integers(HEIGHT)))
        colour = tuple(int(value) for value in rng.integers(0, 256, 3))
        cv2.circle(image, centre, int(rng.integers(20, 60)), colour, -1, cv2.LINE_AA)
    return image


def _smooth(rng: np.random.Generator, cells: int) -> NDArray[np.float32]:
    coarse = rng.uniform(0, 255, (3 * cells, 4 * cells, 3)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.float32)


def _annotation(name: str, rng: np.random.Generator) -> str:
    left, top = int(rng.integers(1, WIDTH // 2)), int(rng.integers(1, HEIGHT // 2))
    box = f"<xmin>{left}</xmin><ymin>{top}</ymin><xmax>{left + 200}</xmax><ymax>{top + 150}</ymax>"
    size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height></size>"
    return f"<annotation>{size}<object><name>{name}</name><bndbox>{box}</bndbox></object></annotation>"
