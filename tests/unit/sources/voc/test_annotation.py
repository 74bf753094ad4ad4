from pathlib import Path

import pytest

from distxml.errors import UserError
from distxml.sources.raster import Box
from distxml.sources.voc.annotation import read_annotation
from tests.unit.sources.voc_folder import annotation_xml, object_xml

BOMB = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>
<annotation><filename>&c;</filename></annotation>"""
OUTSIDE_FILE = """<?xml version="1.0"?>
<!DOCTYPE annotation [<!ENTITY secret SYSTEM "file:///etc/hostname">]>
<annotation><filename>&secret;</filename></annotation>"""
DTD = "<!DOCTYPE annotation><annotation></annotation>"


def written(folder: Path, content: str) -> Path:
    path = folder / "a.xml"
    path.write_text(content)
    return path


def test_reads_objects_size_and_name(tmp_path: Path) -> None:
    part = "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>"
    objects = object_xml(" cat ", (1, 2, "3.5", 4)).replace("<bndbox>", part + "<bndbox>") + object_xml("dog")
    annotation = read_annotation(written(tmp_path, annotation_xml(objects, "x.jpg")))
    assert annotation.filename == "x.jpg"
    assert annotation.size == (30, 20)
    assert [(entry.number, entry.name) for entry in annotation.objects] == [(1, "cat"), (2, "dog")]
    assert annotation.objects[0].box == Box(1, 2, 3.5, 4)


@pytest.mark.parametrize("content", [BOMB, OUTSIDE_FILE, DTD], ids=["bomb", "external entity", "dtd"])
def test_refuses_dtd_and_entities(tmp_path: Path, content: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(UserError) as caught:
        read_annotation(path)
    assert str(path) in str(caught.value)
    assert "DTD or entities" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not valid XML"),
        ("<annotation><object>", "not valid XML"),
        ("<html/>", "the root is <html>"),
        (annotation_xml("<object><bndbox/></object>"), "object 1: field name is missing"),
        (annotation_xml("<object><name>cat</name></object>"), r"object 1 \(cat\): field bndbox/xmin is missing"),
        (annotation_xml(object_xml("cat", (1, 2, "", 4))), "bndbox/xmax is missing or empty"),
        (annotation_xml(object_xml("cat", (1, "two", 3, 4))), "bndbox/ymin is 'two', not a number"),
        (annotation_xml(object_xml("cat", (1, 2, "inf", 4))), "bndbox/xmax is 'inf', not a number"),
        (annotation_xml(object_xml("cat", (1, 2, "nan", 4))), "bndbox/xmax is 'nan', not a number"),
        (annotation_xml(object_xml("cat", (5, 2, 5, 4))), "xmin >= xmax"),
        (annotation_xml(object_xml("cat", (5, 4, 6, 2))), "ymin >= ymax"),
        (
            annotation_xml(object_xml("c&#10;at")),
            r"object 1: field name 'c\\nat' holds characters that cannot be printed",
        ),
        (annotation_xml(object_xml("c\u202eat")), r"field name 'c\\u202eat' holds"),
        ("<annotation><size><width>3</width></size></annotation>", "size/height is missing"),
    ],
)
def test_a_wrong_file_is_named_with_its_field(tmp_path: Path, content: str, message: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(UserError, match=message) as caught:
        read_annotation(path)
    assert str(path) in str(caught.value)


def test_boxes_that_count_from_1_include_their_last_pixel(tmp_path: Path) -> None:
    """The box of one pixel has min equal to max; messages call a box what the file calls it."""
    path = written(tmp_path, annotation_xml(object_xml("cat", (1, 2, 30, 20)) + object_xml("dog", (5, 4, 5, 4))))
    found = read_annotation(path, 1).objects
    assert [entry.box for entry in found] == [Box(0, 1, 30, 20), Box(4, 3, 5, 4)]
    assert str(found[1]) == "object 2 (dog) [xmin 5, ymin 4, xmax 5, ymax 4]"
    with pytest.raises(UserError, match=r"box \[xmin 5, ymin 4, xmax 4\.5, ymax 4\] has xmin > xmax"):
        read_annotation(written(tmp_path, annotation_xml(object_xml("cat", (5, 4, 4.5, 4)))), 1)
