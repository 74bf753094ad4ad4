"""A dataset built into a store: the one that is built into a folder, there when the file that lists it is."""

from pathlib import Path

import pytest

from distxml.data.schema import METADATA_NAME, open_dataset
from distxml.errors import UserError
from distxml.sources.building.build import build_dataset
from distxml.sources.building.stored import build_at
from distxml.storage.files import Store
from tests.unit.sources.building.test_build import parquet_bytes, polygons


@pytest.fixture(autouse=True)
def staging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DISTXML_STAGING", str(tmp_path / "staging"))
    return tmp_path / "staging"


def test_a_store_gets_what_a_folder_gets(tmp_path: Path, staging: Path) -> None:
    build_dataset(polygons(), tmp_path / "disk")
    uri = f"file://{tmp_path}/bucket/data"
    built = build_at(polygons(), uri)
    assert built.anew and str(built.dataset.folder) == uri
    assert parquet_bytes(tmp_path / "bucket/data") == parquet_bytes(tmp_path / "disk")
    assert built.dataset.sha256 == open_dataset(tmp_path / "disk").sha256
    assert not list(staging.glob("*/*")), "nothing is left here"
    assert not build_at(polygons(), uri).anew
    with pytest.raises(UserError, match=r"bucket/data: holds a dataset built from another recipe \(differs in seed\)"):
        build_at(polygons(seed=1), uri)


def test_an_upload_that_was_cut_off_is_no_dataset_and_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri, put, names = f"file://{tmp_path}/bucket/data", Store.put, []

    def cut_off(store: Store, name: str, content: bytes | Path) -> None:
        names.append(name)
        if name == METADATA_NAME:
            raise KeyboardInterrupt
        put(store, name, content)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "put", cut_off)
        with pytest.raises(KeyboardInterrupt):
            build_at(polygons(), uri)
    assert names[-1] == METADATA_NAME and len(names) > 3
    with pytest.raises(UserError):
        open_dataset(uri)
    assert build_at(polygons(), uri).anew
    assert open_dataset(uri).metadata.all_rows == 30


def test_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "bucket/data").mkdir(parents=True)
    (tmp_path / "bucket/data/thesis.txt").touch()
    with pytest.raises(UserError, match="bucket/data: exists and is not a dataset; name a folder that does not exist"):
        build_at(polygons(), f"file://{tmp_path}/bucket/data")
