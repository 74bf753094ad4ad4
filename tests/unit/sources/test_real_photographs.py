"""The VOC source on 364 real photographs, where they are at hand."""

import shutil
from pathlib import Path

import pytest

from distxml.config import DatasetRecipe
from distxml.data.schema import SPLITS
from distxml.errors import UserError
from distxml.sources.building.build import build_dataset

PHOTOGRAPHS = Path(__file__).parents[4] / "shared" / "data" / "raccoon_kangaroo"

pytestmark = pytest.mark.skipif(not PHOTOGRAPHS.is_dir(), reason=f"needs the photographs in {PHOTOGRAPHS}")


def recipe(folder: Path, **source: object) -> DatasetRecipe:
    where = {"kind": "voc", "images": folder / "images", "annotations": folder / "annotations"}
    return DatasetRecipe.model_validate({"name": "raccoon_kangaroo", "source": where | source})


def test_all_photographs_are_usable_but_for_copies(tmp_path: Path) -> None:
    built = build_dataset(recipe(PHOTOGRAPHS), tmp_path / "out")
    metadata = built.dataset.metadata
    assert metadata.classes == ("kangaroo", "raccoon")
    totals = {name: sum(metadata.counts[split][name] for split in SPLITS) for name in metadata.classes}
    rejected = (tmp_path / "out" / "rejected.csv").read_text().splitlines()
    assert "kangaroo-00033.jpg,a bit-for-bit copy of kangaroo-00007.jpg" in rejected
    assert len(rejected) == 1 + 5 and all("bit-for-bit copy" in line for line in rejected[1:])
    assert sum(totals.values()) == 364 - 5


def test_a_box_outside_a_photograph_names_the_remedy_and_the_remedy_works(tmp_path: Path) -> None:
    for part in ("images", "annotations"):
        (tmp_path / part).mkdir()
        for name in ("raccoon-[1-6].*", "kangaroo-0000[1-6].*"):
            for file in (PHOTOGRAPHS / part).glob(name):
                shutil.copyfile(file, tmp_path / part / file.name)
    spoiled = tmp_path / "annotations" / "raccoon-1.xml"
    spoiled.write_text(spoiled.read_text().replace("<xmax>257</xmax>", "<xmax>999</xmax>"))
    with pytest.raises(UserError, match=r"raccoon-1.xml: .*xmax 999.*320x205.*source.box_outside_image=clip"):
        build_dataset(recipe(tmp_path), tmp_path / "out")
    built = build_dataset(recipe(tmp_path, box_outside_image="clip"), tmp_path / "out")
    assert sum(built.dataset.metadata.rows(split) for split in SPLITS) == 12
