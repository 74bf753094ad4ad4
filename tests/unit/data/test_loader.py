"""Every image exactly once per epoch, whatever the number of ranks; the same order and pixels for the same seed."""

import tracemalloc
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from distxml.config.augmentation import AugmentationSettings
from distxml.config.recipe import LoaderSettings
from distxml.data.batch import Batch
from distxml.data.loader import Loader
from distxml.data.sampler import Rank, max_rows_held
from distxml.data.schema import ROW_SCHEMA, Dataset, open_dataset
from distxml.errors import UserError
from tests.small_dataset import noise_row, write_dataset

SETTINGS = LoaderSettings(
    backend="opencv",
    image_size=(12, 16),
    batch_size=8,
    shuffle_buffer=16,
    augmentation=AugmentationSettings(probability=1.0),
)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """53 training rows in shards of 7 and groups of 3, the last of each smaller; one validation row; no test row."""
    folder = tmp_path_factory.mktemp("data") / "noise"
    write_dataset(folder, {"train": [noise_row(number) for number in range(53)], "val": [noise_row(99)]})
    return open_dataset(folder)


def keys_that_count(batches: list[Batch]) -> list[str]:
    return [key for batch in batches for key, weight in zip(batch.key, batch.weight, strict=True) if weight > 0]


@settings(max_examples=20)
@given(
    ranks=st.integers(1, 8),
    batch_size=st.integers(1, 60),
    buffer=st.sampled_from([1, 16, 1000]),
    training=st.booleans(),
)
def test_every_image_once_over_all_ranks(
    dataset: Dataset, ranks: int, batch_size: int, buffer: int, training: bool
) -> None:
    changed = SETTINGS.model_copy(update={"batch_size": batch_size, "shuffle_buffer": buffer})
    loaders = [Loader(dataset, "train", changed, Rank(index, ranks), seed=1) for index in range(ranks)]
    epochs = [list(loader.training(3) if training else loader.evaluation()) for loader in loaders]
    assert {len(batches) for batches in epochs} == {loaders[0].steps()}
    counts = Counter(key for batches in epochs for key in keys_that_count(batches))
    assert len(counts) == 53 and set(counts.values()) == {1}


@settings(max_examples=25)
@given(
    rank=st.sampled_from([Rank(index, ranks) for ranks in (1, 2, 3) for index in range(ranks)]),
    stop=st.integers(0, 6),
    epoch=st.integers(0, 2),
    buffer=st.sampled_from([1, 16, 1000]),
)
def test_an_interrupted_epoch_goes_on_with_what_it_would_have_seen(
    dataset: Dataset, rank: Rank, stop: int, epoch: int, buffer: int
) -> None:
    changed = SETTINGS.model_copy(update={"shuffle_buffer": buffer})
    whole = list(Loader(dataset, "train", changed, rank, seed=1).training(epoch))
    rest = list(Loader(dataset, "train", changed, rank, seed=1).training(epoch, first_step=stop))
    assert [batch.key for batch in rest] == [batch.key for batch in whole[stop:]]
    assert all(torch.equal(one.image, other.image) for one, other in zip(rest, whole[stop:], strict=True))


@pytest.mark.parametrize("ranks", [1, 3])
def test_dali_deals_the_same_rows_and_resumes_alike(dataset: Dataset, ranks: int) -> None:
    dali = SETTINGS.model_copy(update={"backend": "dali"})
    for rank in range(ranks):
        theirs = Loader(dataset, "train", SETTINGS, Rank(rank, ranks), seed=1)
        ours = Loader(dataset, "train", dali, Rank(rank, ranks), seed=1)
        whole = list(ours.training(2))
        assert [batch.key for batch in whole] == [batch.key for batch in theirs.training(2)]
        assert [batch.key for batch in ours.evaluation()] == [batch.key for batch in theirs.evaluation()]
        rest = list(Loader(dataset, "train", dali, Rank(rank, ranks), seed=1).training(2, first_step=3))
        assert all(torch.equal(one.image, other.image) for one, other in zip(rest, whole[3:], strict=True))
        assert all(torch.equal(one.mask, other.mask) for one, other in zip(rest, whole[3:], strict=True))


def test_pixels_depend_on_seed_epoch_and_key_alone(dataset: Dataset) -> None:
    def images(ranks: int, threads: int, epoch: int) -> dict[str, torch.Tensor]:
        changed = SETTINGS.model_copy(update={"threads": threads})
        loaders = [Loader(dataset, "train", changed, Rank(rank, ranks), seed=1) for rank in range(ranks)]
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
    assert batch.image.shape == (len(batch), 3, 12, 16) and batch.image.dtype == torch.float32
    assert batch.mask.shape == (len(batch), 1, 12, 16) and set(batch.mask.unique().tolist()) <= {0.0, 1.0}
    assert batch.image.min() >= 0 and batch.image.max() <= 1
    assert batch.has_mask.all() and batch.label.dtype == torch.int64


@pytest.mark.parametrize("ranks", [1, 8])
def test_one_image_alone(dataset: Dataset, ranks: int) -> None:
    for rank in range(ranks):
        loader = Loader(dataset, "val", SETTINGS, Rank(rank, ranks), seed=0)
        for batches in (list(loader.evaluation()), list(loader.training(0))):
            assert [batch.key for batch in batches] == [("row-00099",)]
            assert batches[0].weight.item() == (1 if rank == 0 else 0)


def test_a_split_without_rows_has_no_steps(dataset: Dataset) -> None:
    loader = Loader(dataset, "test", SETTINGS, Rank(), seed=0)
    assert loader.steps() == 0 and list(loader.evaluation()) == list(loader.training(0)) == []


def test_an_epoch_may_be_left_in_the_middle(dataset: Dataset) -> None:
    loader = Loader(dataset, "train", SETTINGS, Rank(), seed=0)
    begun = loader.training(0)
    first = next(begun)
    begun.close()
    again = list(loader.training(0))
    assert again[0].key == first.key and len(keys_that_count(again)) == 53


@pytest.mark.parametrize("buffer", [16, 1000])
def test_a_changed_shard_is_named(tmp_path: Path, buffer: int) -> None:
    write_dataset(tmp_path / "d", {"train": [noise_row(number) for number in range(20)]})
    loader = Loader(
        open_dataset(tmp_path / "d"), "train", SETTINGS.model_copy(update={"shuffle_buffer": buffer}), Rank(), seed=0
    )
    write_dataset(tmp_path / "other", {"train": [noise_row(number + 100) for number in range(20)]})
    (tmp_path / "other/train/00001.parquet").replace(tmp_path / "d/train/00001.parquet")
    with pytest.raises(UserError, match=r"00001\.parquet: this shard was changed after it was built"):
        list(loader.training(0))


@pytest.mark.parametrize("damage", ["truncated", "gone"])
def test_a_shard_that_cannot_be_read_is_named(tmp_path: Path, damage: str) -> None:
    write_dataset(tmp_path / "d", {"train": [noise_row(number) for number in range(20)]})
    loader = Loader(open_dataset(tmp_path / "d"), "train", SETTINGS, Rank(), seed=0)
    shard = tmp_path / "d/train/00001.parquet"
    if damage == "gone":
        shard.unlink()
    else:
        shard.write_bytes(shard.read_bytes()[:500])
    with pytest.raises(UserError, match=r"00001\.parquet: this shard cannot be read"):
        list(loader.training(0))


@pytest.mark.parametrize("column", ["key", "image", "image.bytes", "label"])
def test_a_shard_with_a_null_is_named(tmp_path: Path, column: str) -> None:
    write_dataset(tmp_path / "d", {"train": [noise_row(number) for number in range(3)]})
    loader = Loader(open_dataset(tmp_path / "d"), "train", SETTINGS, Rank(), seed=0)
    shard = tmp_path / "d/train/00000.parquet"
    rows = pq.read_table(shard).to_pylist()
    if column == "image.bytes":
        rows[1]["image"]["bytes"] = None
    else:
        rows[1][column] = None
    pq.write_table(pa.Table.from_pylist(rows, ROW_SCHEMA), shard)
    with pytest.raises(UserError, match=rf"00000\.parquet: a row has no {column}"):
        list(loader.training(0))


def test_memory_stays_within_the_bound_and_a_split_that_fits_is_read_once(tmp_path: Path) -> None:
    rows = [noise_row(number, side=64) for number in range(300)]  # some 12 KB each
    write_dataset(tmp_path / "d", {"train": rows}, rows_per_shard=100, rows_per_group=5)
    dataset = open_dataset(tmp_path / "d")
    row_bytes = len(rows[0].image) + len(rows[0].mask or b"")
    changed = SETTINGS.model_copy(update={"shuffle_buffer": 20, "batch_size": 4, "prefetch": 1})
    loader = Loader(dataset, "train", changed, Rank(), seed=0)
    bound = max_rows_held(loader.reader.group_rows, loader.shuffle, ranks=1)
    assert bound == 4 * (5 + 3 * 5)
    tracemalloc.start()
    for _ in loader.training(0):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * bound * row_bytes < 300 * row_bytes
    fits = Loader(dataset, "train", SETTINGS.model_copy(update={"shuffle_buffer": 300}), Rank(), seed=0)
    assert len(list(fits.training(0))) == fits.steps()
    for shard in (tmp_path / "d/train").iterdir():
        shard.unlink()
    assert len(list(fits.training(1))) == fits.steps()
