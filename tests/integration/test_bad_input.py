"""Bad input: one clear line, exit status 2, no traceback, nothing half-written.

All cases through the real command in this process, and one of each command as a process of its own.
"""

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import cv2
import numpy as np
import pytest
from filelock import FileLock

from distxml.checksums import note_sums
from distxml.config import Recipe, load_settings
from distxml.config.evaluation import EvaluationSettings
from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from tests.integration.command import SMALL_TRAINING, build_polygons, distxml, distxml_in_process
from tests.integration.ray_cluster import RayCluster
from tests.integration.small_run import write_run

TOO_MANY = (os.cpu_count() or 1) + 1
TOO_MANY_WORKERS = (f"scaling.workers={TOO_MANY}", f"loader.batch_size={TOO_MANY}")
BOMB = """<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><annotation>&b;</annotation>"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("place")
    build_polygons(folder, "source.images=60")
    _write_dataset_without_masks(folder)
    (folder / "data/empty").mkdir()
    write_run(folder / "scored", EvaluationSettings(patch_sizes=(8,)), images=4)
    _write_voc(folder / "voc")
    return folder


def _write_dataset_without_masks(folder: Path) -> None:
    """The polygons' metadata, saying that nothing is annotated; training refuses before it reads a shard."""
    copy = folder / "data/unannotated"
    copy.mkdir()
    metadata = json.loads((folder / "data/polygons/dataset.json").read_text())
    for shard in metadata["shards"]:
        (copy / shard["file"]).parent.mkdir(exist_ok=True)
        (copy / shard["file"]).write_bytes((folder / "data/polygons" / shard["file"]).read_bytes())
    metadata["annotated"] = {"train": 0, "val": 0, "test": 0}
    (copy / "dataset.json").write_text(json.dumps(metadata))


def _write_voc(folder: Path) -> None:
    (folder / "images").mkdir(parents=True)
    (folder / "xml").mkdir()
    for index in range(8):
        name = ("cat", "dog")[index % 2]
        pixels = np.random.default_rng(index).integers(0, 255, (20, 30, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"images/{name}{index}.png"), pixels)
        (folder / f"xml/{name}{index}.xml").write_text(_annotation(f"{name}{index}.png", name, (2, 3, 20, 15)))


def _annotation(file: str, name: str, box: tuple[int, int, int, int]) -> str:
    sides = "".join(f"<{side}>{at}</{side}>" for side, at in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))
    what = f"<object><name>{name}</name><bndbox>{sides}</bndbox></object>"
    return f"<annotation><filename>{file}</filename>{what}</annotation>"


def _refused(place: Path, *command: object, run: Callable[..., CompletedProcess[str]] = distxml_in_process) -> str:
    """The only line that the command has printed on standard error."""
    before = _everything(place)
    done = run(*command, cwd=place)
    assert done.returncode == 2, done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1 and "Traceback" not in done.stderr, done.stderr
    assert _everything(place) == before
    return lines[0]


def _everything(place: Path) -> list[Path]:
    return sorted(path for path in place.rglob("*") if path.suffix != ".lock" and path.name != ".lock")


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["loss.betta=0.5"], ["loss.betta", "did you mean loss.beta?"]),
        (["phases.classifier.epochs=some"], ["phases.classifier.epochs", "'some'"]),
        (["dataset.path=data/gone"], ["data/gone", "no such folder", "data build"]),
        (["dataset.path=data/empty"], ["data/empty", "not a dataset"]),
        (["dataset.path=data/unannotated", "loss.kind=hybrid"], ["loss.kind=hybrid", "mask", "unsupervised"]),
        (["loss.class_weights=[1, -1]"], ["loss.class_weights", "-1"]),
        (["run.folder=voc/images/cat0.png"], ["run.folder", "cat0.png is a file", "another run.folder"]),
        (["run.folder=voc/images/cat0.png/a/b"], ["run.folder", "cat0.png is a file", "another run.folder"]),
        (["scaling.workers=4", "loader.batch_size=4"], ["leave a worker without an image"]),
        (["loss.class_weights=[1, 2, 3]"], ["loss.class_weights", "3 weights for 2 classes"]),
        (["model.pretrained=gone.pth", "model.classifier=resnet18", "model.width=32"], ["gone.pth", "no such file"]),
    ],
    ids=[
        "unknown key",
        "wrong type",
        "missing",
        "not a dataset",
        "no masks",
        "negative",
        "file for a folder",
        "file for a folder above",
        "padding",
        "weights",
        "pretrained",
    ],
)
def test_train_refuses(place: Path, overrides: list[str], words: list[str]) -> None:
    small = [setting for setting in SMALL_TRAINING if setting.split("=")[0] not in {o.split("=")[0] for o in overrides}]
    line = _refused(place, "train", "polygons", *small, *overrides, "run.name=refused")
    assert all(word in line for word in words), line


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("data", "build", "voc", "out", "source.images=voc/gone", "source.annotations=voc/xml"), ["voc/gone"]),
        (("train", "polygons", *SMALL_TRAINING, *TOO_MANY_WORKERS, "run.name=refused"), ["scaling.workers", "lower"]),
        (("tune", "polygons", "budget.trials=0"), ["budget.trials"]),
        (("evaluate", "scored/run", TOO_MANY_WORKERS[0]), ["scaling.workers", "CPUs", "lower"]),
        (("report", "runs/gone"), ["runs/gone"]),
        (("explain", "runs/gone", "a.png"), ["runs/gone"]),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_process_refuses(place: Path, cluster: RayCluster, command: tuple[str, ...], words: list[str]) -> None:
    """One case of each command, with Ray where it takes Ray to see that too many workers are asked for."""
    line = _refused(place, *command, run=partial(distxml, cluster=cluster))
    assert line.startswith("distxml: error: ") and all(word in line for word in words), line


def test_missing_recipe(place: Path) -> None:
    assert "no packaged recipe" in _refused(place, "train", "polygon")


def test_a_checkpoint_of_other_classes(place: Path) -> None:
    """A run that has begun, and a dataset that has since been replaced by one of three classes."""
    metadata = json.loads((place / "data/polygons/dataset.json").read_text())
    run = place / "runs/begun"
    (run / "checkpoints/classifier/last").mkdir(parents=True)
    settings = {"settings": {"classifier": "vgg"}, "image_size": [16, 16], "dataset": "polygons"}
    classes = [*metadata["classes"], "squares"]
    (run / "checkpoints/classifier/last/model.json").write_text(json.dumps(settings | {"classes": classes}))
    note_sums(run / "checkpoints/classifier/last")
    begun = load_settings(Recipe, "polygons", [*SMALL_TRAINING, "run.name=begun"])
    (run / "config.json").write_text(begun.model_dump_json())
    (run / "dataset.json").write_text(json.dumps(metadata))
    line = _refused(place, "train", "polygons", *SMALL_TRAINING, "run.name=begun")
    assert "knows 3 classes (circles, triangle, squares)" in line and "has 2" in line


def test_a_run_does_not_go_on_with_other_data(place: Path) -> None:
    build_polygons(place, "source.images=60", "seed=7", dataset="data/other")
    begun = load_settings(Recipe, "polygons", [*SMALL_TRAINING, "run.name=swapped"])
    run = place / "runs/swapped"
    run.mkdir(parents=True)
    (run / "config.json").write_text(begun.model_dump_json())
    (run / "dataset.json").write_text((place / "data/polygons/dataset.json").read_text())
    line = _refused(place, "train", "polygons", *SMALL_TRAINING, "run.name=swapped", "dataset.path=data/other")
    assert "other data than run" in line


def test_a_model_that_cannot_run_is_found_at_once(place: Path) -> None:
    small = [setting for setting in SMALL_TRAINING if "classifier" not in setting and "image_size" not in setting]
    line = _refused(place, "train", "polygons", *small, "model.classifier=vgg", "loader.image_size=8", "run.name=small")
    assert "does not run through" in line


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("cat0", _annotation("cat0.png", "cat", (2, 3, 31, 15)), ["cat0.xml", "31", "30", "box_outside_image"]),
        ("lonely", _annotation("lonely.png", "cat", (2, 3, 20, 15)), ["lonely.xml", "lonely.png"]),
        ("cat0", BOMB, ["cat0.xml", "entit"]),
        ("cat0", "<annotation><object>", ["cat0.xml"]),
    ],
    ids=["box outside", "no image", "bomb", "broken"],
)
def test_voc_refuses(place: Path, name: str, content: str, words: list[str]) -> None:
    path = place / f"voc/xml/{name}.xml"
    kept = path.read_text() if path.exists() else None
    path.write_text(content)
    try:
        line = _refused(place, "data", "build", "voc", "out", "source.images=voc/images", "source.annotations=voc/xml")
    finally:
        path.unlink() if kept is None else path.write_text(kept)
    assert all(word in line for word in words), line


@pytest.mark.parametrize(
    "command", [("evaluate", "runs/gone"), ("report", "runs/gone"), ("explain", "runs/gone", "a.png")]
)
def test_a_run_that_is_not_there(place: Path, command: tuple[str, ...]) -> None:
    assert "runs/gone" in _refused(place, *command)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("evaluation.methods=[in_modell]", ["evaluation.methods", "in_modell", "grad_cam"]),
        ("evaluation.fills=[blak]", ["evaluation.fills", "blak", "uniform"]),
        ("evaluation.orders=[most]", ["evaluation.orders", "most", "lerf"]),
        ("evaluation.f=phase2", ["evaluation.f", "phase2", "recompute"]),
        ("evaluation.steps=0", ["evaluation.steps", "from 1 on, or all"]),
        ("evaluation.target=square", ["evaluation.target=square", "circle, triangle"]),
        ("evaluation.checkpoint=best_loss", ["no checkpoint checkpoints/joint/best_loss"]),
        ("evaluation.split=val", ["'val' holds no images"]),
        ("dataset.path=data/polygons", ["knows 2 classes (circle, triangle)", "data/polygons"]),
        ("loss.beta=0.5", ["loss.beta", "training has fixed it"]),
    ],
)
def test_evaluate_refuses(place: Path, override: str, words: list[str]) -> None:
    line = _refused(place, "evaluate", "scored/run", override)
    assert all(word in line for word in words), line


def test_evaluate_refuses_a_classifier_phase_that_is_not_there(place: Path) -> None:
    checkpoint = RunFolder(place / "scored/run").checkpoint(PhaseName.CLASSIFIER, "last")
    checkpoint.rename(checkpoint.with_name("gone"))
    line = _refused(place, "evaluate", "scored/run", "evaluation.f=classifier_phase")
    checkpoint.with_name("gone").rename(checkpoint)
    assert "no checkpoint checkpoints/classifier/last" in line and "finish training first" in line


def test_evaluate_refuses_a_run_in_training(place: Path) -> None:
    with FileLock(RunFolder(place / "scored/run").lock):
        line = _refused(place, "evaluate", "scored/run")
    assert "scored/run: another process is training it" in line


@pytest.mark.parametrize("command", [("train", "polygons"), ("data", "build", "polygons", "out")])
def test_print_config_writes_nothing(place: Path, command: tuple[str, ...]) -> None:
    before = _everything(place)
    done = distxml_in_process(*command, "--print-config", cwd=place)
    assert done.returncode == 0 and "seed: 0" in done.stdout
    assert _everything(place) == before


@pytest.mark.slow
def test_dry_run_checks_without_writing(place: Path, cluster: RayCluster) -> None:
    before = _everything(place)
    done = distxml("train", "polygons", *SMALL_TRAINING, "--dry-run", cwd=place, cluster=cluster)
    assert done.returncode == 0, done.stderr
    words = ("readable", "a worker holds at most", "builds", "runs through", "2 fit", "nothing was written")
    assert all(word in done.stdout for word in words)
    assert _everything(place) == before
