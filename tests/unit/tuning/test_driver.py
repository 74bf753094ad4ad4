"""What a sweep is refused for before anything starts."""

from pathlib import Path

import pytest

from distxml.config.sweep import SweepSettings
from distxml.errors import UserError
from distxml.tuning.driver import prepare
from tests.small_dataset import noise_row, write_dataset
from tests.unit.tuning.small_sweep import small_sweep

POMPOM = {"metrics": {"accuracy": {"goal": "max"}, "pompom": {"goal": "min"}}}


def sweep_on(folder: Path, annotated: int, images: int) -> SweepSettings:
    """A sweep for POMPOM over so many of 24 validation images, so many of which have masks."""
    rows = [noise_row(number, side=16, annotated=number < annotated) for number in range(72)]
    write_dataset(folder, {"train": rows[24:48], "val": rows[:24], "test": rows[48:]})
    settings = {"dataset.path": str(folder), "quick_scores.images": images}
    return small_sweep(objective=POMPOM, settings=settings)


@pytest.mark.parametrize(
    ("annotated", "images", "told"),
    [
        (0, 4, r"objective: pompom: no image that it is measured on has a mask; build the dataset with masks"),
        (1, 4, r"objective: pompom: no image that it is measured on has a mask; raise quick_scores.images, or"),
        (1, 0, r"objective: pompom needs quick_scores.images above 0"),
    ],
)
def test_a_metric_that_cannot_exist(tmp_path: Path, annotated: int, images: int, told: str) -> None:
    with pytest.raises(UserError, match=told):
        prepare(sweep_on(tmp_path, annotated, images), "a.yaml")


def test_one_mask_among_the_images_that_are_scored_suffices(tmp_path: Path) -> None:
    assert prepare(sweep_on(tmp_path, 1, 24), "a.yaml").base.quick_scores.images == 24
