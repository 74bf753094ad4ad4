from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from distxml.cli import export_voc as command
from distxml.config import DatasetRecipe, load_settings
from distxml.config.images import ImageRules
from distxml.config.sources import PolygonsSource, VocSource
from distxml.errors import UserError
from distxml.sources.material import SourceRow, untracked
from distxml.sources.polygons.source import polygons_material
from distxml.sources.polygons_as_voc import export_voc
from distxml.sources.raster import polygon_mask
from distxml.sources.voc.annotation import read_annotation, read_polygon
from distxml.sources.voc.source import voc_material
from tests.oracles.polygons import distance_to_line, runs_around

OUTER = ["source.simplified=false", "source.target=4/1", "source.outer=circle", "source.radius=0.06"]
VARIANTS = {
    "demo": [],
    "circles": ["source.simplified=false", "source.target=circle", "source.circles=false"],
    "pentagrams": ["source.target=5/2", "source.occlusion=true", "source.start_index=7"],
    "outer": OUTER,
}


def recipe_of(variant: str, *overrides: str) -> DatasetRecipe:
    return load_settings(DatasetRecipe, "polygons", ["source.images=12", *VARIANTS[variant], *overrides], "datasets")


def rows_of(recipe: DatasetRecipe) -> dict[str, SourceRow]:
    assert isinstance(recipe.source, PolygonsSource)
    items = polygons_material(recipe.source, recipe.seed).items
    return {item.key: item.row(ImageRules()) for item in items}


def pixels(content: bytes | None) -> np.ndarray:
    decoded = cv2.imdecode(np.frombuffer(content or b"", np.uint8), cv2.IMREAD_UNCHANGED)
    assert decoded is not None
    return decoded


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_voc_source_reads_the_same_images_and_polygon_masks(variant: str, tmp_path: Path) -> None:
    recipe = recipe_of(variant, "source.mask=polygon")
    written, rows = export_voc(recipe, tmp_path / "voc"), rows_of(recipe)
    positive = list(written.counts)[1]
    voc = VocSource(kind="voc", images=written.images, annotations=written.annotations, classes=(positive,))
    read = {item.key: item.row(ImageRules()) for item in voc_material(voc, untracked).items}
    assert read.keys() == {key for key, row in rows.items() if row.label == 1}
    for key, row in read.items():
        assert row.image == rows[key].image
        assert np.array_equal(pixels(row.mask), pixels(rows[key].mask))


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_first_object_of_a_positive_image_has_the_box_that_is_its_mask(variant: str, tmp_path: Path) -> None:
    recipe = recipe_of(variant)
    written, rows = export_voc(recipe, tmp_path / "voc"), rows_of(recipe)
    assert sorted(path.stem for path in written.annotations.iterdir()) == sorted(rows)
    for key, row in rows.items():
        annotation = read_annotation(written.annotations / f"{key}.xml")
        assert (annotation.filename, annotation.size) == (f"{key}.png", (48, 48))
        positive = list(written.counts)[1]
        named = [entry.box for entry in annotation.objects if entry.name == positive]
        assert len(named) == row.label
        expected = np.zeros((48, 48), np.uint8)
        for box in named:
            expected[int(box.ymin) : int(box.ymax), int(box.xmin) : int(box.xmax)] = 255
        assert np.array_equal(pixels(row.mask), expected)


def test_every_shape_is_an_object_and_the_outer_polygon_too(tmp_path: Path) -> None:
    written = export_voc(recipe_of("outer"), tmp_path / "voc")
    assert list(written.counts) == ["no square in circle", "square in circle"]
    assert list(written.counts.values()) == [6, 6]
    for path in written.annotations.iterdir():
        names = Counter(entry.name for entry in read_annotation(path).objects)
        assert names["outer circle"] == names["square"] == 1
        assert 3 <= names.total() - names["square in circle"] <= 5


def test_truncated_says_what_the_border_cuts(tmp_path: Path) -> None:
    written = export_voc(recipe_of("pentagrams", "source.images=40"), tmp_path / "voc")
    seen = set()
    for path in written.annotations.iterdir():
        for entry in fromstring(path.read_text()).findall("object"):
            points = read_polygon(entry, "here")
            assert points is not None
            outside = any(not 0 <= number <= 48 for point in points for number in point)
            assert entry.findtext("truncated") == str(int(outside))
            seen.add(outside)
    assert seen == {True, False}


def test_a_second_export_is_equal_and_what_is_there_is_left_alone(tmp_path: Path) -> None:
    for name in ("a/voc", "b/voc"):
        export_voc(recipe_of("demo"), tmp_path / name)
    first = sorted((tmp_path / "a").rglob("*.*"))
    assert [path.read_bytes() for path in first] == [
        path.read_bytes() for path in sorted((tmp_path / "b").rglob("*.*"))
    ]
    with pytest.raises(UserError, match="exists already; name a folder that does not exist yet"):
        export_voc(recipe_of("demo"), tmp_path / "a/voc")
    assert sorted((tmp_path / "a").rglob("*.*")) == first


def test_what_a_killed_export_left_is_not_in_the_next(tmp_path: Path) -> None:
    left = tmp_path / ".voc.distxml-export" / "Annotations"
    left.mkdir(parents=True)
    (left / "stray.xml").write_text("<annotation/>")
    written = export_voc(recipe_of("demo"), tmp_path / "voc")
    assert len(list(written.annotations.iterdir())) == 12


def test_an_interrupted_build_of_the_same_name_is_left_alone(tmp_path: Path) -> None:
    building = tmp_path / ".voc.distxml-building"
    building.mkdir()
    (building / "journal.jsonl").write_text("hours of work")
    export_voc(recipe_of("demo"), tmp_path / "voc")
    assert (building / "journal.jsonl").read_text() == "hours of work"


def test_only_polygons_can_be_exported(tmp_path: Path) -> None:
    recipe = load_settings(DatasetRecipe, "voc", [], "datasets")
    with pytest.raises(UserError, match=r"source.kind: voc cannot be exported.*kind polygons"):
        export_voc(recipe, tmp_path / "voc")
    assert not (tmp_path / "voc").exists()


def test_the_command(tmp_path: Path) -> None:
    import typer

    app = typer.Typer()
    app.command()(command.export_voc)
    result = CliRunner().invoke(app, ["polygons", str(tmp_path / "voc"), "source.images=6"], catch_exceptions=False)
    assert result.exit_code == 0
    assert "circles: 3 images\ntriangle: 3 images\n" in result.output
    assert str(tmp_path / "voc" / "Annotations") in result.output


def object_with(polygon: str) -> str:
    return f"<object><name>cat</name>{polygon}</object>"


def test_an_object_without_a_polygon() -> None:
    assert read_polygon(fromstring(object_with("")), "here") is None


def test_points_in_order_whatever_the_order_of_the_elements() -> None:
    text = "<polygon><y2>4</y2><x1>1.5</x1><y1>2</y1><x3>5</x3><x2> 3 </x2><y3>-6e0</y3></polygon>"
    assert read_polygon(fromstring(object_with(text)), "here") == ((1.5, 2), (3, 4), (5, -6))


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        ("", "field polygon has 0 points, not 3"),
        ("<x1>1</x1><y1>1</y1><x2>1</x2><y2>1</y2>", "field polygon has 2 points"),
        ("<x1>1</x1><y1>1</y1><x2>1</x2><y2>1</y2><x3>1</x3>", "field polygon/y3 is missing"),
        ("<x1>1</x1><y1>1</y1><x2>1</x2><y2>1</y2><x4>1</x4><y4>1</y4>", "field polygon/x3 is missing"),
        ("<x1>1</x1><x1>1</x1><y2>1</y2><x2>1</x2><y1>1</y1>", "field polygon/x1 comes 2 times"),
        ("<x1>one</x1><y1>1</y1><x2>1</x2><y2>1</y2><x3>1</x3><y3>1</y3>", "field polygon/x1 is 'one', not a number"),
        ("<x1>1</x1><y1>nan</y1><x2>1</x2><y2>1</y2><x3>1</x3><y3>1</y3>", "field polygon/y1 is 'nan', not a number"),
        (
            "<x1>1</x1><y1>1e9</y1><x2>1</x2><y2>1</y2><x3>1</x3><y3>1</y3>",
            "field polygon/y1 is '1e9', not a number up to 1000000",
        ),
        ("<x1>1</x1>" * 30_000, "field polygon has 15000 points, not 3 to 10000"),
    ],
)
def test_a_wrong_polygon_is_named_with_its_field(points: str, reason: str) -> None:
    with pytest.raises(UserError, match=f"a.xml: object 1: {reason}"):
        read_polygon(fromstring(object_with(f"<polygon>{points}</polygon>")), "a.xml: object 1")


corner = st.tuples(st.integers(-50, 350), st.integers(-50, 250)).map(lambda tenths: (tenths[0] / 10, tenths[1] / 10))


@given(points=st.tuples(corner, corner, corner))
def test_filled_triangles_against_the_oracle(points: tuple[tuple[float, float], ...]) -> None:
    mask, line = polygon_mask(points, 30, 20), [complex(*point) for point in points]
    if len(set(line)) < 3:
        return
    for y in range(20):
        for x in range(0, 30, 3):
            middle = complex(x + 0.5, y + 0.5)
            if distance_to_line(line, middle) > 1:
                assert (mask[y, x] == 255) == runs_around(line, middle)


def test_a_polygon_far_larger_than_the_image_and_one_across_strips() -> None:
    assert polygon_mask([(-1e6, -1e6), (1e6, -1e6), (1e6, 1e6), (-1e6, 1e6)], 7, 5).all()
    assert not polygon_mask([(8, 1), (9, 1), (9, 4)], 7, 5).any()
    tall = polygon_mask([(2, 10), (5, 10), (5, 590), (2, 590)], 8, 600) == 255
    assert np.array_equal(np.flatnonzero(tall.any(axis=1)), np.arange(10, 590))
    assert np.array_equal(np.flatnonzero(tall.any(axis=0)), [2, 3, 4])


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("mask", ["polygon", "box"])
def test_the_round_trip_keeps_both_classes_and_their_masks(variant: str, mask: str, tmp_path: Path) -> None:
    recipe = recipe_of(variant, f"source.mask={mask}")
    written, rows = export_voc(recipe, tmp_path / "voc"), rows_of(recipe)
    negative, positive = written.counts
    voc = VocSource.model_validate(
        {"kind": "voc", "images": written.images, "annotations": written.annotations, "region": mask}
        | {"classes": [positive], "negative": negative}
    )
    material = voc_material(voc, untracked)
    assert material.classes == (negative, positive)
    read = {item.key: item.row(ImageRules()) for item in material.items}
    assert read.keys() == rows.keys()
    for key, row in read.items():
        assert (row.label, row.image) == (rows[key].label, rows[key].image)
        assert np.array_equal(pixels(row.mask), pixels(rows[key].mask))


def test_the_name_of_the_negative_class_is_no_objects_name(tmp_path: Path) -> None:
    written = export_voc(recipe_of("demo"), tmp_path / "voc")
    voc = VocSource(
        kind="voc", images=written.images, annotations=written.annotations, classes=("triangle",), negative="circle"
    )
    with pytest.raises(UserError, match=r"source\.negative: 'circle' is an object's name too"):
        voc_material(voc, untracked)
