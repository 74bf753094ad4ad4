"""Other tools read a dataset as it lies on disk: pandas, and Hugging Face datasets with images as images."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import datasets
from distxml.config.dataset import DatasetRecipe
from distxml.data.reader import SplitReader
from distxml.data.rows import Row, decode_image
from distxml.data.schema import Dataset, open_dataset
from distxml.sources.building.build import build_dataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("data") / "polygons"
    source = {"kind": "polygons", "images": 30, "image_size": 32}
    build_dataset(DatasetRecipe.model_validate({"name": "p", "source": source, "rows_per_shard": 8}), folder)
    return open_dataset(folder)


def rows(dataset: Dataset) -> list[Row]:
    reader = SplitReader(dataset, "train")
    return list(reader.rows(0, len(reader)))


def test_pandas_reads_it(dataset: Dataset) -> None:
    frame = pd.read_parquet(Path(str(dataset.folder)) / "train")
    assert list(frame.columns) == ["key", "image", "mask", "label", "group"]
    for row, line in zip(rows(dataset), frame.to_dict("records"), strict=True):
        assert (line["key"], line["label"]) == (row.key, row.label)
        assert pd.isna(line["group"]) and row.group is None
        with Image.open(BytesIO(line["image"]["bytes"])) as image:
            assert np.array_equal(np.asarray(image), decode_image(row.image, None, row.key))


def test_hugging_face_datasets_shows_images_and_masks_as_images(dataset: Dataset, tmp_path: Path) -> None:
    files = sorted(str(path) for path in (Path(str(dataset.folder)) / "train").iterdir())
    loaded = datasets.load_dataset("parquet", data_files={"train": files}, cache_dir=str(tmp_path))["train"]
    assert isinstance(loaded.features["image"], datasets.Image)
    assert isinstance(loaded.features["mask"], datasets.Image)
    lines: list[Any] = list(loaded)
    for row, line in zip(rows(dataset), lines, strict=True):
        assert (line["key"], line["label"]) == (row.key, row.label)
        assert np.array_equal(np.asarray(line["image"]), decode_image(row.image, None, row.key))
        assert line["mask"].size == line["image"].size
