"""Results on disk: complete or not at all, and refused when damaged."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from distxml.errors import UserError
from distxml.evaluation.flat_summary import COLUMNS
from distxml.evaluation.results import Results, load_results, load_summary, store
from distxml.evaluation.tables import CURVES_SCHEMA, HEATMAPS_SCHEMA, IMAGES_SCHEMA
from tests.unit.evaluation.made_evaluation import SETTINGS, make_results

RESULTS = make_results()
Rows = list[dict[str, Any]]


def test_what_is_stored_is_read_back(tmp_path: Path):
    store(RESULTS, tmp_path / "evaluation")
    found = load_results(tmp_path / "evaluation")
    assert found == RESULTS
    assert found.images.schema == IMAGES_SCHEMA
    assert found.heatmaps.schema == HEATMAPS_SCHEMA
    assert found.curves.schema == CURVES_SCHEMA
    assert [path.name for path in tmp_path.iterdir()] == ["evaluation"]


@pytest.mark.parametrize("little", [{"patch_sizes": ()}, {"methods": ("random",)}, {"curve_images": 1}])
def test_what_is_little_is_read_back(tmp_path: Path, little: dict[str, Any]):
    results = make_results(SETTINGS.model_copy(update=little), annotated=False)
    store(results, tmp_path / "evaluation")
    assert load_results(tmp_path / "evaluation") == results


def test_an_earlier_evaluation_is_replaced_as_a_whole(tmp_path: Path):
    folder, other = tmp_path / "evaluation", make_results(seed=1)
    store(RESULTS, folder)
    (folder / "of an earlier time").write_text("")
    store(other, folder)
    assert load_results(folder) == other != RESULTS
    assert not (folder / "of an earlier time").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["evaluation"]


def test_an_evaluation_is_found_where_a_kill_while_it_was_replaced_left_it(tmp_path: Path):
    folder = tmp_path / "evaluation"
    store(RESULTS, folder)
    folder.rename(tmp_path / "evaluation.old")  # the first of the two renames
    assert load_summary(folder) == RESULTS.summary
    assert load_results(folder) == RESULTS
    store(make_results(seed=1), folder)
    assert [path.name for path in tmp_path.iterdir()] == ["evaluation"]


def test_a_failure_while_writing_leaves_the_earlier_one(tmp_path: Path):
    folder = tmp_path / "evaluation"
    store(RESULTS, folder)
    unwritable = Results(RESULTS.summary, RESULTS.images, RESULTS.heatmaps, None)  # pyright: ignore[reportArgumentType]
    with pytest.raises(AttributeError):
        store(unwritable, folder)
    assert load_summary(folder) == RESULTS.summary
    assert [path.name for path in tmp_path.iterdir()] == ["evaluation"]


def test_the_table_has_one_line_a_number(tmp_path: Path):
    store(RESULTS, tmp_path / "evaluation")
    with (tmp_path / "evaluation/summary.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    first, summary = RESULTS.summary.aopc[0], RESULTS.summary
    row = next(row for row in rows if row["kind"] == "aopc")
    assert [row[name] for name in ("method", "order", "patch_size", "fill", "steps", "images", "other", "class")] == [
        *("in_model", "morf", "8", "black", "4", "7"),
        *("", ""),
    ]
    assert [row["value"], row["low"], row["high"]] == [
        str(number) if number is not None else "" for number in (first.aopc, first.low, first.high)
    ]
    metrics = [(row["name"], row["value"]) for row in rows if row["kind"] == "metric" and not row["class"]]
    assert metrics == [(metric.name, str(metric.value)) for metric in summary.metrics]


def test_a_folder_without_an_evaluation_says_how_to_make_one(tmp_path: Path):
    with pytest.raises(UserError, match=r"no summary\.json; make it with `distxml evaluate"):
        load_results(tmp_path)


@pytest.mark.parametrize("name", ["summary.json", "images.parquet", "heatmaps.parquet", "curves.parquet"])
@pytest.mark.parametrize("damage", [b"", b"{}", b"PAR1 cut off"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str, damage: bytes):
    folder = tmp_path / "evaluation"
    store(RESULTS, folder)
    (folder / name).write_bytes(damage)
    with pytest.raises(UserError, match=name):
        load_results(folder)


@pytest.mark.parametrize("name", ["summary.json", "images.parquet", "heatmaps.parquet", "curves.parquet"])
def test_a_bit_that_flips_on_the_disk_is_seen_wherever_it_is(tmp_path: Path, name: str):
    """In the tables no page has a checksum, and most of their numbers are in no sum that the summary holds."""
    folder = tmp_path / "evaluation"
    store(RESULTS, folder)
    content = (folder / name).read_bytes()
    for place in range(0, len(content), len(content) // 25):
        changed = bytearray(content)
        changed[place] ^= 1
        (folder / name).write_bytes(changed)
        with pytest.raises(UserError, match="run `distxml evaluate RUN` again"):
            load_results(folder)
    (folder / name).write_bytes(content)
    assert load_results(folder) == RESULTS


@pytest.mark.parametrize("name", ["heatmaps.parquet", "curves.parquet"])
def test_a_missing_table_is_named(tmp_path: Path, name: str):
    store(RESULTS, tmp_path / "evaluation")
    (tmp_path / "evaluation" / name).unlink()
    with pytest.raises(UserError, match=name):
        load_results(tmp_path / "evaluation")


def each(**what: Any) -> Callable[[Rows], Rows]:
    """Every row with these values."""
    return lambda rows: [row | what for row in rows]


def first(**what: Any) -> Callable[[Rows], Rows]:
    """The first row with these values."""
    return lambda rows: [rows[0] | what, *rows[1:]]


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("images", lambda rows: rows[:2], "is of 7 images, but the table of images holds 2"),
        ("images", lambda rows: [rows[0], *rows[:6]], "table of images holds 6"),
        ("images", each(pompom=0.5), "not 4 images have a POMPOM"),
        ("images", each(label=2), "a label is not among the 2 classes"),
        ("images", each(predicted=-1), "a predicted is not among"),
        ("images", each(probabilities=[1.0]), "not 2 probabilities"),
        ("images", each(label=1, predicted=1), "not those of the summary's confusion"),
        ("heatmaps", lambda rows: rows[:2], "not 14 heatmaps, but 2"),
        ("heatmaps", lambda rows: [], "not 14 heatmaps, but 0"),
        ("heatmaps", each(method="lrp"), "not those of the summary's methods, each once per image"),
        ("heatmaps", lambda rows: [rows[1], *rows[1:]], "not those of the summary's methods, each once per image"),
        ("heatmaps", each(key="image-0"), "not 7 images have heatmaps"),
        ("heatmaps", lambda rows: [row | {"key": "x" + row["key"]} for row in rows], "heatmaps: a key is of no image"),
        ("heatmaps", each(target=2), "heatmaps: a target is not among the 2 classes"),
        ("heatmaps", each(label=1), "heatmaps: a label is not its image's"),
        ("heatmaps", each(pointing=0.5), "heatmaps: the pointing of in_model is not the summary's"),
        ("heatmaps", each(pompom=None), "heatmaps: the pompom of in_model is not the summary's"),
        ("curves", lambda rows: rows[:2], "not 140 curves, but 2"),
        ("curves", lambda rows: [], "not 140 curves, but 0"),
        ("curves", each(fill="black"), "not those of the summary's methods, patch sizes, orders and fills"),
        ("curves", each(order="morf"), "not those of the summary's methods, patch sizes, orders and fills"),
        (
            "curves",
            first(steps=3, f=[1.0] * 4, share=[0.0, 0.1, 0.2, 0.3]),
            "not those of the summary's methods, patch sizes, orders and fills",
        ),
        ("curves", lambda rows: [rows[1], *rows[1:]], "not those of the summary's methods"),
        ("curves", each(key="image-0"), "not 7 images have curves"),
        ("curves", lambda rows: [row | {"key": "x" + row["key"]} for row in rows], "curves: a key is of no image"),
        ("curves", each(target=2), "curves: a target is not among the 2 classes"),
        ("curves", each(label=0), "curves: a label is not its image's"),
        ("curves", each(f=[1.0]), "curves: f does not have one value per step"),
        ("curves", each(share=[1.0]), "curves: share does not have one value per step"),
        ("curves", first(aopc=0.9), "the AOPC of in_model, 8, morf, black is not the summary's"),
    ],
)
def test_tables_that_do_not_belong_to_the_summary_are_refused(tmp_path: Path, name: str, change: Any, reason: str):
    folder = tmp_path / "evaluation"
    store(RESULTS, folder)
    table = pq.read_table(folder / f"{name}.parquet")
    pq.write_table(pa.Table.from_pylist(change(table.to_pylist()), table.schema), folder / f"{name}.parquet")
    with pytest.raises(UserError, match=reason) as error:
        load_results(folder)
    assert str(error.value).startswith(f"{folder}: not a whole evaluation of this version (")
    assert str(error.value).endswith("; run `distxml evaluate RUN` again")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["heatmaps.parquet", "curves.parquet"])
def test_a_table_of_another_evaluation_with_the_same_settings_is_refused(tmp_path: Path, name: str):
    store(RESULTS, tmp_path / "evaluation")
    store(make_results(seed=1), tmp_path / "other")
    (tmp_path / "other" / name).replace(tmp_path / "evaluation" / name)
    with pytest.raises(UserError, match="not a whole evaluation"):
        load_results(tmp_path / "evaluation")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"confusion": [[7]]}, "confusion is not a table of 2 by 2 classes"),
        ({"confusion": [[1, 1], [1, 1]]}, "confusion does not count 7 images"),
        ({"roc": [{"class_name": "b", "x": [0, 1], "y": [0], "area": 1}]}, "the curve of b has 2 x, but 1 y"),
        ({"curve_images": 2}, "an AOPC is not over 2 images"),
        ({"by_class": []}, "by_class is not of the 2 classes"),
        ({"version": 1}, "run `distxml evaluate RUN` again"),
    ],
)
def test_a_summary_that_contradicts_itself_is_refused(tmp_path: Path, change: dict[str, Any], reason: str):
    path = tmp_path / "evaluation/summary.json"
    store(RESULTS, path.parent)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(UserError, match=reason) as error:
        load_results(path.parent)
    assert "\n" not in str(error.value)
