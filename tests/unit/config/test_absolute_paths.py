"""Workers have working directories of their own: what is sent to them names files from the top."""

from pathlib import Path

import pytest

from distxml.config import Recipe, load_settings
from distxml.config.absolute_paths import with_absolute_paths
from tests.unit.tuning.small_sweep import small_sweep

RESNET = ["model.classifier=resnet18", "model.normalization=imagenet"]


def test_every_path_of_a_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    overrides = ["run.name=a", "run.folder=runs", "dataset.path=data", "dataset.cache=copies"]
    overrides += [
        "model.pretrained=w.pth",
        "model.classifier=resnet18",
        "model.normalization=imagenet",
        "warm_start.checkpoint=old/last",
        "warm_start.part=explainer",
    ]
    recipe = load_settings(Recipe, "polygons", overrides)
    found = with_absolute_paths(recipe)
    assert found.warm_start is not None
    assert found.run_folder == tmp_path / "runs" / "a"
    assert (found.dataset.path, found.dataset.cache) == (str(tmp_path / "data"), tmp_path / "copies")
    assert found.model.pretrained == tmp_path / "w.pth"
    assert found.warm_start.checkpoint == tmp_path / "old" / "last"
    assert found.model_dump(exclude={"run", "dataset", "model", "warm_start"}) == recipe.model_dump(
        exclude={"run", "dataset", "model", "warm_start"}
    )


@pytest.mark.parametrize("changes", [["model.pretrained=imagenet", *RESNET], []])
def test_what_is_no_path_stays(changes: list[str]) -> None:
    recipe = load_settings(Recipe, "polygons", ["run.name=a", "dataset.path=s3://bucket/data", *changes])
    found = with_absolute_paths(recipe)
    assert found.dataset == recipe.dataset and found.model == recipe.model and found.warm_start is None


def test_a_sweep_does_not_count_more_settings_as_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sweep = small_sweep()
    found = with_absolute_paths(sweep)
    assert found.folder == tmp_path / "runs" and found.recipe == "polygons"
    assert found.model_fields_set == sweep.model_fields_set | {"folder"}
