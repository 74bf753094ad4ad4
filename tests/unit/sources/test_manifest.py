from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distxml.config.sources import ManifestSource
from distxml.errors import UserError
from distxml.sources.manifest import manifest_material, read_boxes
from distxml.sources.material import RawMaterial, Unusable, untracked
from distxml.sources.raster import Box
from tests.oracles.voc_mask import mask_of_boxes
from tests.unit.sources import outcome
from tests.unit.sources.outcome import file_items, item_of, keys, mask_in, reasons
from tests.unit.sources.pictures import HEIGHT, IMAGE_BOX, WIDTH, mask_of, write_image, write_mask


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.jpg", "b.png", "deep/c.jpg"):
        write_image(tmp_path / "data" / name)
    write_mask(tmp_path / "data" / "masks" / "a.png")
    return tmp_path / "data"


def material(folder: Path, text: str | bytes, **changes: object) -> RawMaterial:
    table = folder / "manifest.csv"
    table.write_bytes(text if isinstance(text, bytes) else text.encode())
    settings = ManifestSource.model_validate({"kind": "manifest", "table": table} | changes)
    return manifest_material(settings, untracked)


def refusal(folder: Path, text: str | bytes, **changes: object) -> str:
    return outcome.refusal(lambda: material(folder, text, **changes))


WHOLE = """image,label,mask,boxes,split,group
a.jpg,cat,masks/a.png,,train,p1
b.png,dog,,1 2 5 6; 4 4 9.5 8,test,p2

deep/c.jpg,cat,,none,,
"""


def test_every_column(folder: Path) -> None:
    found = material(folder, WHOLE)
    assert found.classes == ("cat", "dog")
    assert [(item.key, item.name, item.label, item.split, item.group) for item in found.items] == [
        ("a", "a.jpg", 0, "train", "p1"),
        ("b", "b.png", 1, "test", "p2"),
        ("deep/c", "deep/c.jpg", 0, None, None),
    ]
    assert np.array_equal(mask_in(item_of(found, "a")), mask_of(IMAGE_BOX))
    assert np.array_equal(mask_in(item_of(found, "b")), mask_of_boxes([(1, 2, 5, 6), (4, 4, 10, 8)], WIDTH, HEIGHT))
    assert np.array_equal(mask_in(item_of(found, "deep/c")), mask_of(None))
    assert reasons(found) == {}


def test_two_columns_are_enough_and_excel_may_have_written_it(folder: Path) -> None:
    found = material(folder, "\ufeffimage;label\r\na.jpg;cat\r\nb.png; dog \r\n", delimiter=";")
    assert found.classes == ("cat", "dog")
    assert all(item.region is None for item in file_items(found))


def test_labels_that_are_numbers_are_sorted_as_numbers(folder: Path) -> None:
    assert material(folder, "image,label\na.jpg,10\nb.png,2\ndeep/c.jpg,0\n").classes == ("0", "2", "10")


def test_columns_by_other_names(folder: Path) -> None:
    text = "file,diagnosis,patient,age\na.jpg,cat,7,31\n"
    columns = {"image": "file", "label": "diagnosis", "group": "patient"}
    found = material(folder, text, columns=columns, other_columns="ignore")
    assert [(item.key, item.group) for item in found.items] == [("a", "7")]
    assert "unknown column 'age'" in refusal(folder, text, columns=columns)


def test_a_misspelt_group_is_not_passed_over(folder: Path) -> None:
    message = refusal(folder, "image,label,Group\na.jpg,cat,p1\n")
    for part in ("manifest.csv", "unknown column 'Group'", "did you mean 'group'?", "source.other_columns=ignore"):
        assert part in message


def test_classes_asked_for(folder: Path) -> None:
    found = material(folder, "image,label\na.jpg,cat\nb.png,dog\ndeep/c.jpg,bird\n", classes=["dog", "cat"])
    assert found.classes == ("dog", "cat")
    assert reasons(found) == {"deep/c.jpg": "its label 'bird' is none of the classes dog, cat (line 4 of manifest.csv)"}
    assert "no row is labelled fish; labels found: cat" in refusal(folder, "image,label\na.jpg,cat\n", classes=["fish"])


def test_what_is_left_out(folder: Path) -> None:
    (folder / "notes.txt").write_text("hello")
    text = "image,label,mask\na.jpg,cat,\ngone.jpg,cat,\nnotes.txt,cat,\nb.png,dog,masks/gone.png\n"
    found = material(folder, text)
    assert keys(found) == ["a"]
    assert reasons(found)["gone.jpg"] == "no such file (line 3 of manifest.csv)"
    assert reasons(found)["notes.txt"].startswith("not an image file")
    assert reasons(found)["b.png"] == "no such mask: masks/gone.png (line 5 of manifest.csv)"


@pytest.mark.parametrize("column", ["image", "mask"])
@pytest.mark.parametrize(
    "name", ["../secret.jpg", "/etc/passwd", "deep/../../secret.jpg", "..\\secret.jpg", "link.jpg"]
)
def test_no_way_out_of_the_folder(folder: Path, column: str, name: str) -> None:
    secret = write_image(folder.parent / "secret.jpg")
    (folder / "link.jpg").symlink_to(secret)
    row = f"{name},cat," if column == "image" else f"a.jpg,cat,{name}"
    message = refusal(folder, f"image,label,mask\n{row}\n")
    assert f"manifest.csv: line 2: column {column}:" in message
    assert "leads out of" in message


def test_a_root_for_the_paths(folder: Path) -> None:
    assert keys(material(folder, "image,label\nc.jpg,cat\n", root=folder / "deep")) == ["c"]
    assert "source.root: no such folder" in refusal(folder, "image,label\na.jpg,cat\n", root=folder / "nowhere")


def test_names_with_spaces_quotes_commas_and_other_alphabets(folder: Path) -> None:
    names = ["it's a cat.jpg", 'the "cat", again.jpg', "кот.jpg"]
    for name in names:
        write_image(folder / name)
    cells = ['"' + name.replace('"', '""') + '",cat' for name in names]
    found = material(folder, "image,label\n" + "\n".join(cells) + "\n")
    assert [item.name for item in found.items] == names


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no row 1"),
        ("image,label\n", "no rows"),
        ("picture,label\na.jpg,cat\n", "no column 'image'; the columns are: picture, label"),
        ("image,label,label\na.jpg,cat,dog\n", "two columns are called 'label'"),
        ("image,label\na.jpg,cat\nb.png\n", "line 3: 1 cells, but 2 columns"),
        ("image,label\na.jpg,cat,extra\n", "line 2: 3 cells, but 2 columns"),
        ("image,label\na.jpg,\n", "line 2: column label is empty"),
        ("image,label\n,cat\n", "line 2: column image: '' is not a file name"),
        ("image,label\na.jpg,cat\na.jpg,dog\n", "line 3: the image 'a.jpg' stands on line 2 already"),
        ('image,label\na.jpg,"c\nat"\n', "line 2: column label: 'c\\nat' cannot be printed"),
        ('image,label\na.jpg,"cat\n', "line 2: not valid CSV"),
        (b"image,label\na.jpg,cat\nb.png,\xff\xfe\n", "line 3: not UTF-8"),
        (b"image,label\na.jpg,c\0t\n", "line 2"),
        (
            "image,label,split\na.jpg,cat,validation\n",
            "column split is 'validation'; write train, val, test or nothing",
        ),
        ("image,label,mask,boxes\na.jpg,cat,masks/a.png,1 1 2 2\n", "has a mask and boxes"),
        ("image,label,boxes\na.jpg,cat,1 2 3\n", "line 2: column boxes: '1 2 3' is not `xmin ymin xmax ymax`"),
        ("image,label,boxes\na.jpg,cat,1 2 x 4\n", "is not `xmin ymin xmax ymax`"),
        ("image,label,boxes\na.jpg,cat,5 2 5 4\n", "must have xmin < xmax"),
        ("image,label,boxes\na.jpg,cat,1 nan 5 4\n", "must have xmin < xmax"),
        ("image,label,boxes\na.jpg,cat,;\n", "is not `xmin ymin xmax ymax`"),
        ("image,label\n" + "x" * 400 + ".jpg,cat\n", "cannot be looked for"),
    ],
)
def test_a_bad_table_is_one_line_that_names_the_place(folder: Path, text: str | bytes, words: str) -> None:
    message = refusal(folder, text)
    assert words in message
    assert "manifest.csv" in message


def test_a_missing_table(folder: Path) -> None:
    settings = ManifestSource.model_validate({"kind": "manifest", "table": folder / "gone.csv"})
    with pytest.raises(UserError, match=r"source\.table: .*gone\.csv: cannot be read"):
        manifest_material(settings, untracked)


def test_two_names_with_one_key(folder: Path) -> None:
    write_image(folder / "a.png")
    assert "would both have the key 'a'" in refusal(folder, "image,label\na.jpg,cat\na.png,cat\n")


def test_boxes_outside_the_image(folder: Path) -> None:
    text = f"image,label,boxes\na.jpg,cat,-2 3 {WIDTH + 1} 7\n"
    with pytest.raises(UserError, match=r"manifest\.csv: line 2: box .* reaches outside the image of 24x16 pixels"):
        mask_in(item_of(material(folder, text), "a"))
    with pytest.raises(Unusable, match="reaches outside"):
        mask_in(item_of(material(folder, text, box_outside_image="leave_out"), "a"))
    clipped = mask_in(item_of(material(folder, text, box_outside_image="clip"), "a"))
    assert np.array_equal(clipped, mask_of((0, 3, WIDTH, 7)))


corner = st.integers(-50, 50)
some_boxes = st.lists(
    st.tuples(corner, corner, corner, corner).map(
        lambda box: Box(box[0], box[1], box[0] + abs(box[2]) + 1, box[1] + abs(box[3]) + 1)
    ),
    max_size=4,
)


@given(boxes=some_boxes)
def test_boxes_as_they_were_written(boxes: list[Box]) -> None:
    text = "; ".join(f"{box.xmin} {box.ymin} {box.xmax} {box.ymax}" for box in boxes) or "none"
    assert read_boxes(text, "here") == tuple(boxes)
