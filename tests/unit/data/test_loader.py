"""Every image exactly once an epoch, whatever the number of ranks; the same order and pixels for the same seed."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from distxml.config.dataset import DatasetRecipe
from distxml.config.augmentation import AugmentationSettings
from distxml.config.recipe import LoaderSettings
from distxml.data.deal import epoch_order, global_batches, rank_share
from distxml.data.loader import Loader, Rank
from distxml.data.schema import Dataset, open_dataset
from distxml.errors import UserError
from distxml.sources.build import build_dataset

SETTINGS = LoaderSettings(image_size=(24, 32), batch_size=8, augmentation=AugmentationSettings(probability=1.0))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("data") / "polygons"
    source = {"kind": "polygons", "images": 60, "image_size": 32}
    build_dataset(DatasetRecipe.model_validate({"name": "p", "source": source, "rows_per_shard": 7}), folder)
    return open_dataset(folder)


@given(
    rows=st.integers(1, 200),
    batch=st.integers(1, 64),
    ranks=st.integers(1, 8),
    seed=st.integers(0, 9),
    epoch=st.integers(0, 9),
)
def test_dealing_covers_every_row_once(rows: int, batch: int, ranks: int, seed: int, epoch: int) -> None:
    order = epoch_order(rows, seed, epoch)
    batches = global_batches(order, batch)
    assert len(batches) == -(-rows // batch)
    dealt = [rank_share(one, rank, ranks) for one in batches for rank in range(ranks)]
    assert sorted(np.concatenate(dealt).tolist()) == list(range(rows))
    sizes = [len(one) for one in batches]
    assert max(sizes) <= batch and max(sizes) - min(sizes) <= 1


def test_epochs_and_seeds_differ() -> None:
    assert not np.array_equal(epoch_order(100, 0, 0), epoch_order(100, 0, 1))
    assert not np.array_equal(epoch_order(100, 0, 0), epoch_order(100, 1, 0))


@pytest.mark.parametrize("ranks", [1, 2, 3, 8])
@pytest.mark.parametrize("training", [True, False])
def test_every_image_once_over_all_ranks(dataset: Dataset, ranks: int, training: bool) -> None:
    loaders = [Loader(dataset, "train", SETTINGS, Rank(index, ranks), seed=1) for index in range(ranks)]
    epochs = [list(loader.training(3) if training else loader.evaluation()) for loader in loaders]
    assert {len(batches) for batches in epochs} == {loaders[0].steps()}
    keys = [
        key
        for batches in epochs
        for batch in batches
        for key, weight in zip(batch.key, batch.weight, strict=True)
        if weight > 0
    ]
    assert len(keys) == dataset.metadata.rows("train")
    assert set(Counter(keys).values()) == {1}


def test_pixels_depend_on_seed_epoch_and_key_alone(dataset: Dataset) -> None:
    def images(ranks: int, threads: int, epoch: int) -> dict[str, torch.Tensor]:
        settings = SETTINGS.model_copy(update={"threads": threads})
        loaders = [Loader(dataset, "train", settings, Rank(rank, ranks), seed=1) for rank in range(ranks)]
        return {
            key: image
            for loader in loaders
            for batch in loader.training(epoch)
            for key, image in zip(batch.key, batch.image, strict=True)
        }

    one, three, other = images(1, 1, 0), images(3, 2, 0), images(1, 1, 1)
    assert all(torch.equal(one[key], three[key]) for key in one)
    assert any(not torch.equal(one[key], other[key]) for key in one)


def test_batches_have_the_documented_shapes_and_ranges(dataset: Dataset) -> None:
    batch = next(Loader(dataset, "train", SETTINGS, Rank(), seed=0).training(0))
    assert batch.image.shape == (len(batch), 3, 24, 32) and batch.image.dtype == torch.float32
    assert batch.mask.shape == (len(batch), 1, 24, 32) and set(batch.mask.unique().tolist()) <= {0.0, 1.0}
    assert batch.image.min() >= 0 and batch.image.max() <= 1
    assert batch.has_mask.all() and batch.label.dtype == torch.int64


def test_a_rank_without_rows_repeats_one_with_weight_zero(dataset: Dataset) -> None:
    settings = SETTINGS.model_copy(update={"batch_size": 2})
    batches = list(Loader(dataset, "val", settings, Rank(7, 8), seed=0).evaluation())
    assert all(len(batch) == 1 and batch.weight.item() == 0 for batch in batches)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 1000))
def test_augmentation_moves_image_and_mask_together(seed: int) -> None:
    from distxml.data.augment import Augmenter
    from distxml.data.rows import Sample

    image = np.zeros((48, 48, 3), np.uint8)
    mask = np.zeros((48, 48), np.uint8)
    image[4:20, 8:16], mask[4:20, 8:16] = 255, 1
    out = Augmenter(AugmentationSettings(probability=1.0, preset="flips"), seed)(Sample("k", 0, image, mask), 0)
    assert out.mask is not None
    assert np.array_equal(out.image[..., 0] > 127, out.mask == 1)


def test_a_changed_shard_is_named(dataset: Dataset, tmp_path: Path) -> None:
    path, _ = dataset.shards("test")[0]
    kept = path.read_bytes()
    try:
        path.write_bytes(kept[: len(kept) // 2])
        with pytest.raises(UserError, match=path.name):
            list(Loader(dataset, "test", SETTINGS, Rank(), seed=0).evaluation())
    finally:
        path.write_bytes(kept)
