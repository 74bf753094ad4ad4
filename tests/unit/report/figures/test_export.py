"""Figures as files: valid, standing alone, written together or not at all."""

import json
import resource
from pathlib import Path

import cv2
import numpy as np
import pytest
from defusedxml import ElementTree

from distxml.config.run_folder import RunFolder
from distxml.errors import UserError
from distxml.report.document import write_report
from distxml.report.figure import Panel, Plate
from distxml.report.figures.all import draw_figures
from distxml.report.figures.export import INDEX_NAME, write_figures
from distxml.report.training_log import TrainingLog
from tests.unit.report.run_on_disk import make_run, short_log

EVALUATION = {
    "roc",
    "precision_recall",
    "aopc_overall",
    "comparisons",
    "morf_probability",
    "lerf_probability",
    "aopc_by_steps",
    "aopc_by_steps_lerf",
    "heatmaps",
}
TRAINING = {"total", "classification", "explanation", "accuracy", "sparsity", "contiguity", "weak", "learning_rates"}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def plates(*names: str) -> list[Plate]:
    return [Plate(name, f"Title of {name}", "A caption.", f"<svg>{name}</svg>".encode(), b"png") for name in names]


def test_every_figure_is_there_as_svg_and_png(everything: RunFolder):
    index = json.loads((everything.figures / INDEX_NAME).read_text())
    names = {figure["name"] for figure in index["figures"]}
    assert names == EVALUATION | {f"training_{name}" for name in TRAINING}
    assert all(figure["title"] and figure["caption"] for figure in index["figures"])
    files = {f"{name}.{suffix}" for name in names for suffix in ("svg", "png")}
    assert {path.name for path in everything.figures.iterdir()} == files | {INDEX_NAME}
    summary = json.loads((everything.evaluation / "summary.json").read_text())
    assert index["scored_sha256"] == summary["scored"]["sha256"]


def test_they_open_are_white_around_and_fine_enough_for_print(everything: RunFolder):
    for path in sorted(everything.figures.glob("*.png")):
        pixels = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
        assert pixels is not None
        assert (pixels[[0, 0, -1, -1], [0, -1, 0, -1]] == 255).all(), path.name
        svg = ElementTree.fromstring(path.with_suffix(".svg").read_bytes())
        assert svg.tag == "{http://www.w3.org/2000/svg}svg"
        inches = [float(svg.attrib[side].removesuffix("pt")) / 72 for side in ("width", "height")]
        assert pixels.shape[1] / inches[0] >= 150 and pixels.shape[0] / inches[1] >= 150
        drawn = pixels[..., :3].min(2) < 250
        assert drawn.any() and not drawn[:, 0].any() and not drawn[:, -1].any(), f"{path.name} is cut off"
        assert not drawn[0].any() and not drawn[-1].any(), f"{path.name} is cut off"


def test_a_standalone_figure_needs_no_font_and_has_a_legend_where_the_page_has_one():
    log = TrainingLog()
    for event in short_log():
        log.add(event)
    drawn_figures = {drawn.plate.name: drawn for drawn in draw_figures(log, None)}
    drawn = drawn_figures["training_total"]
    assert b"<text" not in drawn.plate.svg and "<text" in drawn.picture.svg
    with Panel() as panel:
        panel.axes.set_title("Title")
        without = panel.plate("name", "Title", "caption")
    assert drawn.plate.svg.count(b'id="legend') == 1 and without.svg.count(b'id="legend') == 0


def test_a_title_that_is_longer_than_the_figure_is_broken():
    with Panel(3, 2) as panel:
        panel.plate("name", "a long title " * 10, "")
        (title,) = panel.figure.texts
        box = title.get_window_extent()
        assert title.get_text().count("\n") >= 3
        assert box.x0 >= 0 and box.x1 <= panel.figure.bbox.x1


def test_figures_that_are_none_any_more_leave_and_other_files_stay(tmp_path: Path):
    write_figures(plates("a", "b"), tmp_path, "one")
    (tmp_path / "mine.png").write_bytes(b"mine")
    write_figures(plates("b", "c"), tmp_path, "two")
    names = {"b.svg", "b.png", "c.svg", "c.png", "mine.png", INDEX_NAME}
    assert set(contents(tmp_path)) == names
    index = json.loads((tmp_path / INDEX_NAME).read_text())
    assert index["scored_sha256"] == "two" and [figure["name"] for figure in index["figures"]] == ["b", "c"]


def test_a_list_that_is_not_ours_removes_nothing(tmp_path: Path):
    outside = tmp_path / "outside.png"
    outside.write_bytes(b"keep")
    folder = tmp_path / "figures"
    write_figures(plates("a"), folder, None)
    index = json.loads((folder / INDEX_NAME).read_text())
    index["figures"][0]["name"] = "../outside"
    (folder / INDEX_NAME).write_text(json.dumps(index))
    write_figures(plates("b"), folder, None)
    assert outside.read_bytes() == b"keep"
    (folder / INDEX_NAME).write_text("not a list")
    write_figures(plates("c"), folder, None)
    assert {"a.svg", "b.svg", "c.svg"} <= set(contents(folder))


def test_a_disk_that_refuses_half_way_leaves_everything_as_it_was(tmp_path: Path):
    write_figures(plates("a", "b"), tmp_path, "one")
    before = contents(tmp_path)
    huge = Plate("c", "c", "c", b"x" * 100_000, b"png")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))  # the file system refuses the second figure
    try:
        with pytest.raises(UserError, match=r"cannot be written \(File too large\)"):
            write_figures([*plates("a"), huge], tmp_path, "two")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert contents(tmp_path) == before


def test_a_folder_in_the_place_of_a_figure_leaves_everything_as_it_was(tmp_path: Path):
    write_figures(plates("a"), tmp_path, "one")
    (tmp_path / "b.png").mkdir()
    with pytest.raises(UserError, match=r"b\.png is a folder there"):
        write_figures(plates("a", "b"), tmp_path, "two")
    assert {path.name for path in tmp_path.iterdir()} == {"a.svg", "a.png", "b.png", INDEX_NAME}
    assert json.loads((tmp_path / INDEX_NAME).read_text())["scored_sha256"] == "one"


def test_a_report_whose_figures_cannot_be_written_stays_the_old_one(tmp_path: Path):
    run = make_run(tmp_path, evaluated=False, log=short_log())
    run.report.write_text("the old one")
    run.figures.write_text("a file where the folder belongs")
    with pytest.raises(UserError, match="figures: cannot be written"):
        write_report(run)
    assert run.report.read_text() == "the old one"
    run.figures.unlink()
    assert write_report(run).figures == run.figures and (run.figures / INDEX_NAME).is_file()
