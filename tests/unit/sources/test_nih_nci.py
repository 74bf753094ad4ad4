from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from distxml.errors import UserError
from distxml.sources.files import SUFFIXES
from distxml.sources.material import RawMaterial, Unusable, untracked
from distxml.sources.nih_nci import nih_nci_material
from tests.unit.sources.nih_tree import COLUMNS, STUDIES, NihTree, make_nih_tree
from tests.unit.sources.outcome import file_items, item_of, keys, mask_in, reasons
from tests.unit.sources.pictures import HEIGHT, IMAGE_BOX, WIDTH, mask_of, write_image, write_mask


@pytest.fixture
def tree(tmp_path: Path) -> NihTree:
    return NihTree(tmp_path / "nih")


def material(tree: NihTree, **changes: object) -> RawMaterial:
    tree.write()
    return nih_nci_material(tree.settings(**changes), untracked)


def test_labels_masks_and_patients_of_a_whole_tree(tmp_path: Path) -> None:
    found = nih_nci_material(make_nih_tree(tmp_path / "nih").settings(), untracked)
    assert found.classes == ("healthy", "cancer")
    assert reasons(found) == {}
    assert len(found.items) == 24
    for item in file_items(found):
        number = int(item.path.stem[3:6])
        assert item.label == (1 if number % 4 == 0 else 0)
        assert item.group == str(100 + number)
        assert item.split is None
        assert item.key == f"{item.path.parent.name}/{item.path.stem}"
        assert np.array_equal(mask_in(item), mask_of(IMAGE_BOX))
    assert {item.path.parent.name for item in file_items(found)} == set(STUDIES)


@pytest.mark.parametrize(
    ("histology", "label"), [(0.0, 0), (1.0, 0), (2.0, 1), (3.0, 1), (4.0, 1), ("0", 0), ("1", 0), ("2", 1), ("4.0", 1)]
)
def test_cin2_and_worse_is_cancer(tree: NihTree, histology: float | str, label: int) -> None:
    tree.add("CVT", "a", 1.0, histology)
    assert item_of(material(tree), "CVT/a").label == label


@pytest.mark.parametrize("missing", [-2.0, -1.0, "-2", "-1", ".", "", None, "-2.0"])
def test_without_a_histology_an_image_is_left_out(tree: NihTree, missing: float | str | None) -> None:
    tree.add("ALTS", "a", 1.0, missing)
    tree.add("ALTS", "b", 2.0, 1.0)
    found = material(tree)
    assert keys(found) == ["ALTS/b"]
    assert reasons(found)["ALTS/a.jpg"].startswith("WRST_HIST_AFTER is ")
    assert reasons(found)["ALTS/a.jpg"].endswith(": missing")


def test_none_known_is_healthy_on_request_but_an_empty_cell_never(tree: NihTree) -> None:
    for stem, histology in (("a", -1.0), ("b", "-2"), ("c", None), ("d", ".")):
        tree.add("ALTS", stem, 1.0, histology)
    found = material(tree, no_histology="healthy")
    assert [(item.key, item.label) for item in found.items] == [("ALTS/a", 0), ("ALTS/b", 0)]


@pytest.mark.parametrize("unknown", [5.0, 9.0, 1.5, -3.0, "CIN2", "nan", "inf", "1_0", "1e0"])
def test_a_histology_that_nobody_explained_is_no_label(tree: NihTree, unknown: float | str) -> None:
    tree.add("NHS", "a", 1.0, unknown)
    assert "is in neither source.healthy nor source.cancer" in reasons(material(tree))["NHS/a.jpg"]


def test_the_codes_are_settings(tree: NihTree) -> None:
    tree.add("NHS", "a", 1.0, 5.0)
    assert material(tree, cancer=[2, 3, 4, 5]).items[0].label == 1
    for wrong, words in (({"cancer": [1, 2]}, "both healthy and cancer"), ({"healthy": [-1, 0]}, "means missing")):
        with pytest.raises(ValidationError, match=words):
            tree.settings(**wrong)


def test_one_patient_in_two_studies_is_one_group(tree: NihTree) -> None:
    tree.add("ALTS", "a", 7.0, 0.0)
    tree.add("NHS", "a", "7", 3.0)
    tree.add("NHS", "b", "7.0", 3.0)
    assert [(item.key, item.group, item.label) for item in file_items(material(tree))] == [
        ("ALTS/a", "7", 0),
        ("NHS/a", "7", 1),
        ("NHS/b", "7", 1),
    ]


@pytest.mark.parametrize("missing", [None, ".", -1.0, -2.0])
def test_without_a_patient_an_image_is_left_out(tree: NihTree, missing: float | str | None) -> None:
    tree.add("ALTS", "a", missing, 0.0)
    assert reasons(material(tree))["ALTS/a.jpg"].startswith("no GG_PATIENT_ID")


def test_rows_and_files_that_do_not_meet(tree: NihTree) -> None:
    tree.add("ALTS", "good", 1.0, 0.0)
    tree.add_row("ALTS", "gone.tif", 2.0, 0.0)
    tree.add_row("ALTS", ".", 2.0, 0.0)
    tree.add_row("ALTS", "../NHS/other.tif", 2.0, 0.0)
    write_image(tree.root / "NHS" / "other.jpg")
    write_image(tree.root / "ALTS" / "stray.jpg")
    write_mask(tree.root / "ALTS" / "lost_mask.jpg")
    (tree.root / "ALTS" / "notes.txt").write_text("hello")
    (tree.root / "ALTS" / ".DS_Store").write_text("hello")
    found = material(tree)
    assert keys(found) == ["ALTS/good"]
    assert {name: reason.split(";")[0] for name, reason in reasons(found).items()} == {
        "ALTS/gone.tif": "no such image file, though the table has a row for it",
        "ALTS/../NHS/other.tif": "no such image file, though the table has a row for it",
        "ALTS/covariate_data.xls": "row 8: no GG_IMAGE_ID",
        "ALTS/stray.jpg": "no row of the table names it",
        "ALTS/lost_mask.jpg": "no image belongs to this mask",
        "ALTS/notes.txt": f"not an image file ({' '.join(SUFFIXES)})",
        "NHS/other.jpg": "no row of the table names it",
    }


def test_an_id_with_dots_is_never_cut_to_the_image_of_another_patient(tree: NihTree) -> None:
    write_image(tree.root / "ALTS" / "X7.jpg")
    write_mask(tree.root / "ALTS" / "X7_mask.jpg")
    tree.add_row("ALTS", "X7.2", 2.0, 3.0)
    tree.add_row("ALTS", "folder/X7.jpg", 3.0, 3.0)
    tree.add("ALTS", "Y1.5", 4.0, 0.0)
    tree.add("ALTS", "Z", 5.0, 0.0)
    tree.rows["ALTS"][-1][0] = "Z.TIFF"
    found = material(tree)
    assert [(item.key, item.group) for item in file_items(found)] == [("ALTS/Y1.5", "4"), ("ALTS/Z", "5")]
    assert reasons(found) == {
        "ALTS/X7.2": "no such image file, though the table has a row for it",
        "ALTS/folder/X7.jpg": "no such image file, though the table has a row for it",
        "ALTS/X7.jpg": "no row of the table names it",
    }


def test_what_counts_as_missing(tree: NihTree) -> None:
    """Files that should be there; not visits without an image, nor rows that could not be used anyway."""
    tree.add("ALTS", "no mask", 1.0, 0.0, mask=False)
    tree.add_row("ALTS", "gone.tif", 2.0, 0.0)
    tree.add_row("ALTS", "-1", 3.0, 0.0)
    tree.add_row("ALTS", "gone and unknown.tif", 4.0, ".")
    tree.add_row("ALTS", "gone and nobody's.tif", ".", 0.0)
    write_image(tree.root / "ALTS" / "stray.jpg")
    found = material(tree)
    assert len(found.rejected) == 6
    assert sorted(entry.file for entry in found.rejected if entry.missing) == ["ALTS/gone.tif", "ALTS/no mask.jpg"]


def test_rows_that_agree_count_once_and_rows_that_differ_not_at_all(tree: NihTree) -> None:
    for stem, other in (("same", 0.0), ("differ", 3.0)):
        tree.add("CVT", stem, 1.0, 0.0)
        tree.add_row("CVT", f"{stem}.jpg", 1.0, other)
    found = material(tree)
    assert keys(found) == ["CVT/same"]
    assert reasons(found) == {"CVT/differ.jpg": "its rows (row 8, row 9) differ in GG_PATIENT_ID or WRST_HIST_AFTER"}


def test_the_jpg_is_taken_where_the_original_lies_beside_it(tree: NihTree) -> None:
    tree.add("CVT", "a", 1.0, 0.0)
    write_image(tree.root / "CVT" / "a.tif")
    assert file_items(material(tree))[0].path.name == "a.jpg"
    tree.add("CVT", "b", 1.0, 0.0)
    (tree.root / "CVT" / "b.jpg").unlink()
    for suffix in ("png", "tif"):
        write_image(tree.root / "CVT" / f"b.{suffix}")
    assert reasons(material(tree))["CVT/b.png"] == "several image files: b.png, b.tif"


def test_missing_masks(tree: NihTree) -> None:
    tree.add("Biopsy", "a", 1.0, 0.0, mask=False)
    assert reasons(material(tree)) == {"Biopsy/a.jpg": "no mask belongs to it"}
    assert item_of(material(tree, missing_mask="not_annotated"), "Biopsy/a").region is None
    with pytest.raises(UserError, match=r"Biopsy/a\.jpg: no mask belongs to it; .*missing_mask"):
        material(tree, missing_mask="fail")


def test_a_mask_of_another_size_names_both(tree: NihTree) -> None:
    tree.add("ALTS", "a", 1.0, 0.0)
    write_mask(tree.root / "ALTS" / "a_mask.jpg", size=(WIDTH, HEIGHT + 1))
    with pytest.raises(Unusable, match=r"mask ALTS/a_mask\.jpg has 24x17 pixels, but the image has 24x16"):
        mask_in(item_of(material(tree), "ALTS/a"))


def test_ids_that_are_numbers_or_hold_spaces_and_quotes(tree: NihTree) -> None:
    for stem in ("12345", "it's a 'scan' ü"):
        tree.add("ALTS", stem, 1.0, 0.0)
    tree.rows["ALTS"][0][0] = 12345.0
    assert keys(material(tree)) == ["ALTS/12345", "ALTS/it's a 'scan' ü"]


def test_a_csv_in_place_of_the_xls(tree: NihTree) -> None:
    tree.add("ALTS", "a", 1.0, 0.0)
    tree.write()
    text = "Covariate data\n,,\n3 lines\n\n" + ",".join(COLUMNS) + "\r\n"
    for study in STUDIES:
        (tree.root / study / "covariate.csv").write_text(text)
    with (tree.root / "ALTS" / "covariate.csv").open("a") as file:
        file.write("a.tif,1,-1,.,.,3,.\r\n")
    found = material(tree, table="covariate.csv")
    assert [(item.key, item.label) for item in found.items] == [("ALTS/a", 1)]


def test_what_stops_the_build(tree: NihTree) -> None:
    with pytest.raises(UserError, match=r"source\.folder: no such folder"):
        nih_nci_material(tree.settings(), untracked)
    tree.write()
    with pytest.raises(UserError, match=r"no study folder .*Other"):
        nih_nci_material(tree.settings(studies=["ALTS", "Other"]), untracked)
    with pytest.raises(UserError, match=r"no column 'GG_IMAGE_ID'"):
        nih_nci_material(tree.settings(header_row=1), untracked)
    (tree.root / "NHS" / "covariate_data.xls").write_text("oops")
    with pytest.raises(UserError, match=r"NHS/covariate_data\.xls: not an Excel .xls file"):
        nih_nci_material(tree.settings(), untracked)
    with pytest.raises(ValidationError, match="must be a name, not a path"):
        tree.settings(table="../secret.xls")
