"""Results on disk: complete or not at all, and refused when damaged."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from distxml.config.evaluation import EvaluationSettings
from distxml.errors import UserError
from distxml.evaluation.results import (
    CURVES_SCHEMA,
    IMAGES_SCHEMA,
    Aopc,
    AopcDifference,
    AopcOverall,
    Metric,
    Results,
    Scored,
    Summary,
    load_results,
    load_summary,
)
from distxml.evaluation.store import COLUMNS, store

PLACE = {"patch_size": 8, "fill": "blur", "images": 3}


def results(accuracy: float = 0.5) -> Results:
    summary = Summary(
        made_by="a test",
        scored=Scored(
            checkpoint="checkpoints/phase3/last",
            sha256="0",
            classifier="vgg",
            image_size=(32, 32),
            training_finished=True,
        ),
        dataset_path="data",
        dataset_name="small",
        dataset_sha256="0",
        split="test",
        images=3,
        annotated=0,
        curve_images=3,
        settings=EvaluationSettings(),
        left_out_patch_sizes=(64,),
        seed=0,
        classes=("a", "b"),
        metrics=(
            Metric(name="accuracy", value=accuracy, low=0.25, high=0.75, images=3),
            Metric(name="pompom", value=None, low=None, high=None, images=0),
        ),
        aopc=(
            Aopc(method="in_model", steps=1, aopc=0.5, low=0.4, high=0.6, tie_share=0.1, by_steps=(0, 0.5), **PLACE),
        ),
        aopc_overall=(AopcOverall(method="in_model", aopc=0.5, low=0.4, high=0.6, images=3, settings=1),),
        versus_random=(AopcDifference(method="in_model", difference=0.25, low=0.125, high=0.375, **PLACE),),
        roc=(),
        precision_recall=(),
        confusion=((1, 1), (0, 1)),
    )
    images = [image_row(key, label, predicted) for key, label, predicted in (("a", 0, 0), ("b", 0, 1), ("c", 1, 1))]
    curves = [curve_row(row["key"], row["label"]) for row in images]
    return Results(summary, pa.Table.from_pylist(images, IMAGES_SCHEMA), pa.Table.from_pylist(curves, CURVES_SCHEMA))


def image_row(key: str, label: int, predicted: int) -> dict[str, Any]:
    terms = dict.fromkeys(("classification", "sparsity", "contiguity", "explanation", "total", "heat_mean"), 0.5)
    return {"key": key, "label": label, "predicted": predicted, "probabilities": [0.5, 0.5], **terms}


def curve_row(key: str, label: int) -> dict[str, Any]:
    what = {"method": "in_model", "patch_size": 8, "fill": "blur", "steps": 1}
    return {"key": key, "label": label, "target": label, **what, "f": [1.0, 0.0], "aopc": 0.5, "tie_share": 0.1}


def test_what_is_stored_is_read_back(tmp_path: Path):
    store(results(), tmp_path / "evaluation")
    found = load_results(tmp_path / "evaluation")
    assert found.summary == results().summary
    assert found.images.schema == IMAGES_SCHEMA
    assert found.curves.schema == CURVES_SCHEMA
    assert [path.name for path in tmp_path.iterdir()] == ["evaluation"]


def test_an_earlier_evaluation_is_replaced_as_a_whole(tmp_path: Path):
    folder = tmp_path / "evaluation"
    store(results(), folder)
    (folder / "of an earlier time").write_text("")
    store(results(accuracy=0.625), folder)
    assert load_summary(folder).metric("accuracy").value == 0.625
    assert not (folder / "of an earlier time").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["evaluation"]


def test_a_failure_while_writing_leaves_the_earlier_one(tmp_path: Path):
    folder = tmp_path / "evaluation"
    store(results(), folder)
    unwritable = Results(results().summary, IMAGES_SCHEMA.empty_table(), None)  # pyright: ignore[reportArgumentType]
    with pytest.raises(AttributeError):
        store(unwritable, folder)
    assert load_results(folder).summary == results().summary
    assert [path.name for path in tmp_path.iterdir()] == ["evaluation"]


def test_the_table_has_one_line_a_number(tmp_path: Path):
    store(results(), tmp_path / "evaluation")
    with (tmp_path / "evaluation/summary.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert set(rows[0]) == set(COLUMNS)
    assert [(row["kind"], row["name"], row["value"], row["low"]) for row in rows] == [
        ("metric", "accuracy", "0.5", "0.25"),
        ("metric", "pompom", "", ""),
        ("aopc", "aopc", "0.5", "0.4"),
        ("aopc", "aopc_over_all_settings", "0.5", "0.4"),
        ("aopc_difference", "aopc_minus_random", "0.25", "0.125"),
    ]
    assert (rows[2]["method"], rows[2]["patch_size"], rows[2]["fill"], rows[2]["steps"]) == (
        "in_model",
        "8",
        "blur",
        "1",
    )


def test_a_folder_without_an_evaluation_says_how_to_make_one(tmp_path: Path):
    with pytest.raises(UserError, match=r"no summary\.json; make it with `distxml evaluate"):
        load_results(tmp_path)


@pytest.mark.parametrize("name", ["summary.json", "images.parquet", "curves.parquet"])
@pytest.mark.parametrize("damage", [b"", b"{}", b"PAR1 cut off"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str, damage: bytes):
    folder = tmp_path / "evaluation"
    store(results(), folder)
    (folder / name).write_bytes(damage)
    with pytest.raises(UserError, match=name):
        load_results(folder)


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("images.parquet", lambda rows: rows[:2], "is of 3 images, but the table of images holds 2"),
        ("images.parquet", lambda rows: [rows[0], *rows[:2]], "table of images holds 2"),
        ("images.parquet", lambda rows: [row | {"pompom": 0.5} for row in rows], "not 0 images have a POMPOM"),
        ("images.parquet", lambda rows: [row | {"label": 2} for row in rows], "a label is not among the 2 classes"),
        ("images.parquet", lambda rows: [row | {"predicted": -1} for row in rows], "a predicted is not among"),
        ("images.parquet", lambda rows: [row | {"probabilities": [1.0]} for row in rows], "not 2 probabilities"),
        ("curves.parquet", lambda rows: rows[:2], "not 3 curves, but 2"),
        ("curves.parquet", lambda rows: [], "not 3 curves, but 0"),
        ("curves.parquet", lambda rows: [row | {"fill": "black"} for row in rows], "not those of the summary's"),
        ("curves.parquet", lambda rows: [row | {"key": "a"} for row in rows], "not 3 images have curves"),
        ("curves.parquet", lambda rows: [row | {"key": "x" + row["key"]} for row in rows], "a curve is of no image"),
        ("curves.parquet", lambda rows: [row | {"target": 2} for row in rows], "a target is not among the 2 classes"),
        ("curves.parquet", lambda rows: [row | {"f": [1.0]} for row in rows], "an f does not have a value a step"),
    ],
)
def test_tables_that_do_not_belong_to_the_summary_are_refused(tmp_path: Path, name: str, change: Any, reason: str):
    folder = tmp_path / "evaluation"
    store(results(), folder)
    table = pq.read_table(folder / name)
    pq.write_table(pa.Table.from_pylist(change(table.to_pylist()), table.schema), folder / name)
    with pytest.raises(UserError, match=reason) as error:
        load_results(folder)
    assert str(error.value).startswith(f"{folder}: not a whole evaluation of this version (")
    assert str(error.value).endswith("; run `distxml evaluate RUN` again")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"confusion": [[3]]}, "confusion is not a table of 2 by 2 classes"),
        ({"confusion": [[1, 1], [1, 1]]}, "confusion does not count 3 images"),
        ({"roc": [{"class_name": "b", "x": [0, 1], "y": [0], "area": 1}]}, "the curve of b has 2 x, but 1 y"),
        ({"curve_images": 2}, "an AOPC is not over 2 images"),
    ],
)
def test_a_summary_that_contradicts_itself_is_refused(tmp_path: Path, change: dict[str, Any], reason: str):
    path = tmp_path / "evaluation/summary.json"
    store(results(), path.parent)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(UserError, match=reason) as error:
        load_results(path.parent)
    assert "\n" not in str(error.value)
