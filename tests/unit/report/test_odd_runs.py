"""Reports of evaluations that lack something: masks, curves, images, classes; and of everything at once."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from distxml.cli.main import app
from distxml.config.evaluation import EvaluationSettings
from distxml.config.run_folder import RunFolder
from distxml.data.rows import Row
from distxml.evaluation.results import Results, load_results
from distxml.report.document import write_report
from distxml.report.wording import about_the_score
from tests.unit.evaluation.small_model import small_rows
from tests.unit.report.page import Page, parse
from tests.unit.report.run_on_disk import CLASSES, EVALUATION, make_run, short_log

PLAIN = EVALUATION.model_copy(update={"patch_sizes": (8,), "fills": ("black",)})
"""One setting: what is odd about a run shows in each."""


def reported(
    folder: Path, settings: EvaluationSettings = PLAIN, rows: list[Row] | None = None, classes=CLASSES
) -> tuple[Page, RunFolder]:
    run = make_run(folder, settings=settings, rows=rows, classes=classes, log=())  # it would be drawn as always
    written = write_report(run)
    assert written.notices == []
    return parse(run.report.read_text(encoding="utf-8")), run


def test_everything_at_once_is_a_page_that_stands_alone(full_page: Page):
    assert full_page.all("script") == []
    assert all(reference.startswith(("#", "data:image/png;base64,")) for reference in full_page.references)
    ids = [element.attributes["id"] for element in full_page.elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    assert all(header.attributes["scope"] in ("row", "col") for header in full_page.all("th"))
    scrolled = [element for element in full_page.all("div") if "scroll" in element.attributes.get("class", "")]
    assert all(element.attributes["tabindex"] == "0" and element.attributes["aria-label"] for element in scrolled)
    assert len(full_page.all("details")) == len(full_page.all("summary")) == 13


def test_names_of_classes_are_text_everywhere(everything: RunFolder, full_page: Page):
    html = everything.report.read_text(encoding="utf-8")
    assert '<b>"x"' not in html and "<script" not in html
    assert full_page.text.count(CLASSES[1]) > 10
    assert full_page.all("b") and all("x" not in element.attributes for element in full_page.all("b"))
    for svg in everything.figures.glob("*.svg"):
        assert b"<script" not in svg.read_bytes()


def test_one_image(tmp_path: Path):
    page, run = reported(tmp_path, rows=small_rows(4)[3:])
    assert load_results(run.evaluation).summary.images == 1
    assert "not told apart from 2 of 2" in page.text
    assert (run.figures / "morf_probability.png").is_file() and (run.figures / "heatmaps.png").is_file()


def test_one_class(tmp_path: Path):
    rows = [replace(row, label=0) for row in small_rows(6)]
    page, run = reported(tmp_path, rows=rows, classes=('<b>"x"&\'',))
    assert '<b>"x"&\'' in page.text
    assert 'predicted <b>"x"&\'' in page.text
    assert not (run.figures / "roc.png").exists() and (run.figures / "comparisons.png").is_file()


def test_no_masks(tmp_path: Path):
    rows = [replace(row, mask=None) for row in small_rows(8)]
    page, run = reported(tmp_path, rows=rows)
    assert "Agreement with the masks" not in page.text and "POMPOM by class" not in page.text
    assert (run.figures / "heatmaps.svg").is_file()


def test_no_curves(tmp_path: Path):
    settings = EVALUATION.model_copy(update={"patch_sizes": (64,)})
    page, run = reported(tmp_path, settings=settings)
    assert load_results(run.evaluation).summary.aopc == ()
    assert "fewer than 4 patches: 64" in page.text
    names = {path.stem for path in run.figures.glob("*.png") if not path.stem.startswith("training_")}
    assert names == {"roc", "precision_recall"}
    assert "AOPC by class" not in page.text and "The same images by every method" not in page.text


def test_random_alone_has_curves_but_no_heatmaps(tmp_path: Path):
    page, run = reported(tmp_path, settings=PLAIN.model_copy(update={"methods": ("random",)}))
    assert "clearly better" not in page.text and "The same images by every method" not in page.text
    assert (run.figures / "morf_probability.png").is_file() and not (run.figures / "comparisons.png").exists()


def test_lerf_alone(tmp_path: Path):
    page, run = reported(tmp_path, settings=PLAIN.model_copy(update={"orders": ("lerf",)}))
    assert "least relevant first (LeRF)" in page.text and "most relevant first" not in page.text
    assert (run.figures / "lerf_probability.svg").is_file() and (run.figures / "aopc_by_steps.svg").is_file()
    assert "Between LeRF and MoRF" not in page.text


def test_logits_of_a_named_class_under_f_classifier_phase(tmp_path: Path):
    page, run = reported(
        tmp_path,
        settings=PLAIN.model_copy(update={"f": "classifier_phase", "output": "logit", "target": CLASSES[1]}),
    )
    assert f"logit of the class “{CLASSES[1]}”, whatever an image shows" in page.text
    assert "classifier after its own phase under a white heatmap" in page.text
    assert "Scored model: checkpoints/classifier/last" in page.text
    assert "in-model heatmaps are by checkpoints/joint/last" in page.text
    assert (run.figures / "morf_logit.png").is_file()
    first = page.text.index("The same images by every method")
    assert page.text[first:].count(f"{CLASSES[1]} 0.") >= 6  # every row explains that class


def test_a_classifier_phase_under_a_heatmap_is_no_plain_cnn(full_results: Results) -> None:
    summary = full_results.summary
    assert summary.scored.gating == "recompute"
    settings = summary.settings.model_copy(update={"f": "classifier_phase"})
    words = " ".join(about_the_score(summary.model_copy(update={"settings": settings})))
    assert "under the heatmap that the explainer of that phase made anew" in words
    assert "white heatmap" not in words and "plain-CNN" not in words


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"f": "fixed"}, "kept the heatmap of the untouched image (fixed)"),
        ({"target": "label"}, "softmax probability of the true class"),
        ({"output": "logit"}, "logit of the class predicted for the untouched image"),
        ({"orders": ("lerf", "morf")}, "least relevant first (LeRF): the longer f holds"),
    ],
)
def test_what_was_asked_for_is_said(full_results: Results, change: dict[str, object], words: str):
    settings = full_results.summary.settings.model_copy(update=change)
    assert words in " ".join(about_the_score(full_results.summary.model_copy(update={"settings": settings})))


def test_the_command_says_where_everything_is(tmp_path: Path):
    run = make_run(tmp_path, evaluated=False, log=short_log())
    done = CliRunner().invoke(app, ["report", str(run.path)])
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [str(run.report), str(run.figures)]


def test_a_run_with_nothing_to_draw_has_no_folder_of_figures(tmp_path: Path):
    run = make_run(tmp_path, evaluated=False, finished=False)
    run.metrics.unlink()
    assert write_report(run).figures is None
    assert not run.figures.exists()
