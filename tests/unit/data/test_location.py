"""Datasets in object storage, against a real S3 server on loopback."""

import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path

import boto3
import fsspec
import pytest
import torch

from distxml.config.recipe import LoaderSettings
from distxml.data.loader import Loader
from distxml.data.sampler import Rank
from distxml.data.schema import open_dataset
from distxml.errors import UserError
from tests.s3_server import BUCKET, s3_server, upload
from tests.small_dataset import noise_row, write_dataset

Batches = list[tuple[tuple[str, ...], torch.Tensor]]
"""Keys and images of each batch."""

SETTINGS = LoaderSettings(backend="opencv", image_size=(8, 8), shuffle_buffer=8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "noise"
    write_dataset(folder, {"train": [noise_row(number) for number in range(20)]})
    return folder


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3_server() as endpoint:
        yield endpoint


def epoch(location: str | Path, cache: Path | None = None) -> Batches:
    loader = Loader(open_dataset(location), "train", SETTINGS, Rank(), seed=0, cache=cache)
    return [(batch.key, batch.image) for batch in loader.training(0)]


def same(one: Batches, other: Batches) -> bool:
    return [keys for keys, _ in one] == [keys for keys, _ in other] and all(
        torch.equal(ours, theirs) for (_, ours), (_, theirs) in zip(one, other, strict=True)
    )


def test_an_s3_dataset_gives_what_the_local_one_gives(folder: Path, endpoint: str) -> None:
    uri = upload(folder, "plain")
    assert same(epoch(uri), epoch(folder))
    assert same(epoch(f"{uri}?endpoint_override={endpoint}&region=us-east-1"), epoch(folder))


def test_any_fsspec_file_system_works(folder: Path) -> None:
    fsspec.filesystem("memory").put(str(folder), "/noise", recursive=True)
    assert same(epoch("memory://noise"), epoch(folder))


def test_a_file_uri_is_a_local_folder(folder: Path) -> None:
    dataset = open_dataset(f"file://{folder}")
    assert dataset.folder.local == folder
    assert same(epoch(f"file://{folder}"), epoch(folder))


def test_the_cache_serves_later_runs_without_the_server(folder: Path, endpoint: str, tmp_path: Path) -> None:
    uri = upload(folder, "cached")
    first = epoch(uri, tmp_path / "cache")
    assert same(first, epoch(folder))
    assert len(list((tmp_path / "cache").glob("*.parquet"))) == 3
    for shard in ("00000", "00001", "00002"):  # only the listing and dataset.json are asked for from now on
        boto3.client("s3").put_object(Bucket=BUCKET, Key=f"cached/train/{shard}.parquet", Body=b"")
    assert same(epoch(uri, tmp_path / "cache"), first)
    with pytest.raises(UserError, match="cannot be read"):
        epoch(uri)


@pytest.mark.parametrize("damage", ["truncated", "flipped"])
def test_a_damaged_copy_is_fetched_again(folder: Path, endpoint: str, tmp_path: Path, damage: str) -> None:
    uri, cache = upload(folder, "again"), tmp_path / "cache"
    first = epoch(uri, cache)
    for copy in cache.glob("*.parquet"):
        content = bytearray(copy.read_bytes())
        content[content.index(b"IDAT") + 8] ^= 255  # in the pixels of an image
        copy.write_bytes(content[: len(content) // 2] if damage == "truncated" else content)
    assert same(epoch(uri, cache), first)
    for copy in cache.glob("*.parquet"):
        assert hashlib.sha256(copy.read_bytes()).hexdigest() == copy.stem


def test_a_changed_shard_does_not_get_into_the_cache(folder: Path, endpoint: str, tmp_path: Path) -> None:
    uri = upload(folder, "changed")
    boto3.client("s3").put_object(Bucket=BUCKET, Key="changed/train/00001.parquet", Body=b"x" * 999)
    with pytest.raises(UserError, match=r"s3://data/changed/train/00001\.parquet: this shard was changed"):
        epoch(uri, tmp_path / "cache")
    assert len(list((tmp_path / "cache").glob(".*"))) == 0
    assert len(list((tmp_path / "cache").glob("*.parquet"))) <= 2


def test_a_cache_that_cannot_be_written_is_done_without(
    folder: Path, endpoint: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    uri = upload(folder, "uncached")
    (tmp_path / "file").write_text("in the way")
    with caplog.at_level(logging.WARNING):
        assert same(epoch(uri, tmp_path / "file" / "cache"), epoch(folder))
    assert [record.levelname for record in caplog.records].count("WARNING") == 1
    assert "dataset.cache" in caplog.text


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("s3://data/nothing-here", ["s3://data/nothing-here", "no such folder"]),
        ("s3://no-such-bucket/x", ["s3://no-such-bucket/x"]),
        ("foo://x/y", ["foo://x/y", "dataset.path"]),
        ("s3://", ["s3://", "dataset.path"]),
        ("memory://void", ["memory://void", "no such folder"]),
    ],
)
def test_a_place_without_a_dataset_is_one_clear_line(endpoint: str, location: str, words: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        open_dataset(location)
    assert "\n" not in str(caught.value)
    assert all(word in str(caught.value) for word in words)


def test_a_missing_shard_is_named_when_the_dataset_is_opened(folder: Path, endpoint: str) -> None:
    uri = upload(folder, "holes")
    boto3.client("s3").delete_object(Bucket=BUCKET, Key="holes/train/00002.parquet")
    with pytest.raises(UserError, match=r"holes/train/00002\.parquet: this shard is missing"):
        open_dataset(uri)
