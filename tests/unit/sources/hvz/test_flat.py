from pathlib import Path

import numpy as np
import pytest

from distxml.errors import UserError
from distxml.sources.hvz.flat import hvz_flat_material
from distxml.sources.material import RawMaterial, Unusable, untracked
from tests.unit.sources.hvz_trees import SYNSETS, FlatTree, make_flat_tree
from tests.unit.sources.outcome import file_items, item_of, keys, mask_in, reasons
from tests.unit.sources.pictures import IMAGE_BOX, mask_of, write_image

HORSE, ZEBRA = SYNSETS.values()


@pytest.fixture
def tree(tmp_path: Path) -> FlatTree:
    return FlatTree(tmp_path / "hvz")


def material(tree: FlatTree, **changes: object) -> RawMaterial:
    return hvz_flat_material(tree.settings(**changes), untracked)


def test_a_whole_tree(tmp_path: Path) -> None:
    found = material(make_flat_tree(tmp_path / "hvz", images=3))
    assert found.classes == ("horse", "zebra")
    assert [(item.key, item.label, item.name) for item in found.items] == [
        (f"{synset}_{number}", label, f"images/{name}/{synset}_{number}.JPEG")
        for label, (name, synset) in enumerate(SYNSETS.items())
        for number in range(3)
    ]
    assert all(np.array_equal(mask_in(item), mask_of(IMAGE_BOX)) for item in file_items(found))
    assert found.rejected == []


def test_pandas_writes_a_column_without_name(tree: FlatTree) -> None:
    tree.add("horse", 1)
    settings = tree.settings()
    (tree.root / "data.csv").write_text(f",imageID,label\n0,{HORSE}_1.JPEG,horse\n")
    assert keys(hvz_flat_material(settings, untracked)) == [f"{HORSE}_1"]


def test_rows_without_a_file_and_images_without_a_mask(tree: FlatTree) -> None:
    tree.add("zebra", 1, mask=False)
    tree.rows.append((f"{ZEBRA}_2.JPEG", "zebra"))
    assert reasons(material(tree)) == {
        f"images/zebra/{ZEBRA}_1.JPEG": "no mask belongs to it",
        f"images/zebra/{ZEBRA}_2.JPEG": "no such file, though data.csv has a row for it",
    }
    assert item_of(material(tree, missing_mask="not_annotated"), f"{ZEBRA}_1").region is None


def test_a_broken_mask(tree: FlatTree) -> None:
    tree.add("zebra", 1)
    (tree.root / "masks" / "zebra" / f"{ZEBRA}_1_mask.JPEG").write_bytes(b"no image")
    with pytest.raises(Unusable, match=rf"mask masks/zebra/{ZEBRA}_1_mask\.JPEG cannot be decoded"):
        mask_in(item_of(material(tree), f"{ZEBRA}_1"))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("x.JPEG", "donkey"), "line 2: label 'donkey' is neither of horse, zebra"),
        (("../../x.JPEG", "horse"), "line 2: '../../x.JPEG' leads out of"),
        (("../zebra/x.JPEG", "horse"), "leads out of"),
        (("/etc/x.JPEG", "horse"), "leads out of"),
        (("", "horse"), "is not a file name"),
    ],
)
def test_rows_that_stop_the_build(tree: FlatTree, row: tuple[str, str], words: str) -> None:
    tree.rows.append(row)
    with pytest.raises(UserError) as caught:
        material(tree)
    assert words in str(caught.value) and "data.csv" in str(caught.value)


def test_one_image_twice(tree: FlatTree) -> None:
    tree.add("horse", 1)
    tree.rows.append(tree.rows[0])
    with pytest.raises(UserError, match=rf"two rows for images/horse/{HORSE}_1\.JPEG"):
        material(tree)
    tree.rows[1] = (f"{HORSE}_1.JPEG", "zebra")
    write_image(tree.root / "images" / "zebra" / f"{HORSE}_1.JPEG")
    with pytest.raises(UserError, match=rf"would both have the key '{HORSE}_1'"):
        material(tree, missing_mask="not_annotated")


def test_a_table_that_is_not_there_or_lacks_a_column(tree: FlatTree) -> None:
    settings = tree.settings()
    (tree.root / "data.csv").write_text("image,label\n")
    with pytest.raises(UserError, match=r"data\.csv: no column 'imageID'; the columns are: image, label"):
        hvz_flat_material(settings, untracked)
    (tree.root / "data.csv").unlink()
    with pytest.raises(UserError, match=r"source\.folder: .*data\.csv: cannot be read"):
        hvz_flat_material(settings, untracked)
