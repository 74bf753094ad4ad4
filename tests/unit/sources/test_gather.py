"""Kinds of sources: what is registered can be named in a recipe, and its material is built from."""

from pathlib import Path
from typing import Literal, get_args

import pytest

from distxml.config import DatasetRecipe
from distxml.config.base import Settings
from distxml.config.load import validate
from distxml.config.sources import SOURCES, Source, SourceEntry
from distxml.errors import UserError
from distxml.registry import load
from distxml.sources.building.build import build_dataset
from distxml.sources.file_item import FileItem
from distxml.sources.material import RawMaterial, Track
from tests.unit.sources.pictures import write_image


class DummySource(Settings):
    """Images called `LABEL_NUMBER.png`."""

    kind: Literal["dummy"]
    """Marks the source."""
    folder: Path
    """Folder of the images."""


def dummy_material(settings: DummySource, track: Track) -> RawMaterial:
    paths = track(sorted(settings.folder.iterdir()), "listing images")
    return RawMaterial(("cat", "dog"), [FileItem(path, path.name, path.stem, int(path.stem[0])) for path in paths])


def recipe_of(folder: Path) -> dict[str, object]:
    return {"name": "dummy", "source": {"kind": "dummy", "folder": str(folder)}}


def test_a_source_that_is_added_is_built_like_any_other(tmp_path: Path) -> None:
    for label in (0, 1):
        for number in range(4):
            write_image(tmp_path / "images" / f"{label}_{number}.png")
    SOURCES.add(SourceEntry("dummy", DummySource, dummy_material))
    try:
        recipe = DatasetRecipe.model_validate(recipe_of(tmp_path / "images"))
        built = build_dataset(recipe, tmp_path / "out")
        assert not build_dataset(recipe, tmp_path / "out").anew
        with pytest.raises(UserError, match=r"a\.yaml: source\.folder: is missing"):
            validate(DatasetRecipe, {"name": "x", "source": {"kind": "dummy"}}, "a.yaml")
    finally:
        SOURCES.remove("dummy")
    assert built.anew and built.dataset.metadata.all_rows == 8
    assert built.dataset.metadata.recipe["source"] == {"kind": "dummy", "folder": str(tmp_path / "images")}


def test_a_kind_that_is_not_registered_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"'dummy' .* 'polygons', .*'nih_nci'"):
        validate(DatasetRecipe, recipe_of(tmp_path), "a.yaml")


def test_the_registry_names_every_model_and_its_code() -> None:
    union = get_args(get_args(Source)[0])
    assert [entry.settings for entry in SOURCES] == list(union)
    for entry in SOURCES:
        assert get_args(entry.settings.model_fields["kind"].annotation) == (entry.name,)
        assert callable(load(entry.material))
