"""The report of a run: what it says, that it stands alone, and that nothing of the user's breaks out of it."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from distxml.checksums import note_sums
from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.errors import UserError
from distxml.evaluation.results import load_results
from distxml.report.document import read_content, write_report
from distxml.report.figure import THEME
from distxml.report.figures.training import LEGEND
from distxml.report.wording import number
from tests.flip_a_byte import flip_a_byte
from tests.unit.report.page import Page, page_without_figures, parse
from tests.unit.report.run_on_disk import (
    CLASSES,
    full_log,
    guard_event,
    make_run,
    notice_event,
    small,
    write_checkpoint,
    write_log,
)

CLASSIFIER, EXPLAINER, JOINT = PhaseName

TRAINING_PANELS = 8
EVALUATION_FIGURES = 6  # ROC, precision and recall, AOPC over all settings, comparisons, the curves, AOPC at every L


def test_complete_run_has_no_notices(run: RunFolder):
    assert read_content(run).notices == []


def test_an_evaluation_that_was_about_to_be_replaced_is_shown(copy: RunFolder):
    copy.evaluation.rename(copy.evaluation.with_name("evaluation.old"))
    assert read_content(copy).notices == []


def test_nothing_is_loaded_from_outside(page: Page):
    assert page.references
    assert all(reference.startswith(("#", "data:image/png;base64,")) for reference in page.references)
    assert page.all("script") == [] and page.all("link") == [] and page.all("iframe") == []
    assert "url(http" not in page.text and "@import" not in page.text


def test_ids_are_unique_and_every_reference_arrives(page: Page):
    ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    targets = {reference[1:] for reference in page.references if reference.startswith("#")}
    assert targets <= set(ids)


def test_class_names_are_text_and_nothing_else(run: RunFolder, page: Page):
    html = run.report.read_text(encoding="utf-8")
    assert "<script" not in html
    assert "<b>x</b>" not in html and "<stopping>" not in html
    for name in CLASSES:
        assert name in page.text
    assert "distxml train <b>x</b>" in page.text
    assert "early <stopping>" in page.text


def test_what_happened_on_the_way_is_told(copy: RunFolder):
    events = [notice_event(0, "checkpoint <i>last</i> skipped"), *full_log()]
    write_log(copy, [*events[:5], guard_event(EXPLAINER, 1, 3), *events[5:]])
    page = page_without_figures(copy)
    assert "checkpoint <i>last</i> skipped" in page.text
    did = "black <b>heat</b>; went back (explainer’s learning rate now 0.01)"
    assert f"Collapse guard, explainer phase, after epoch 3: {did}" in page.text
    assert "1 epoch; the collapse guard acted 1 time" in page.text


def test_every_metric_of_the_summary_is_there(run: RunFolder, page: Page):
    for metric in load_results(run.evaluation).summary.metrics:
        assert number(metric.value, 4) in page.text


def test_figures_are_counted_and_described(page: Page):
    pictures = [element for element in page.all("svg") if element.attributes.get("role") == "img"]
    assert len(pictures) == TRAINING_PANELS + EVALUATION_FIGURES
    assert all(picture.attributes["aria-label"] for picture in pictures)
    assert all(image.attributes["alt"] for image in page.all("img"))
    assert any(CLASSES[1] in picture.attributes["aria-label"] for picture in pictures)


def test_tables_have_headers_with_a_scope(page: Page):
    assert page.all("th")
    assert all(header.attributes["scope"] in ("row", "col") for header in page.all("th"))


def test_gallery_says_how_it_was_drawn(run: RunFolder, page: Page):
    images = load_results(run.evaluation).images.to_pylist()
    cards = [element for element in page.all("figure") if element.attributes.get("class") == "card"]
    groups = {(row["label"], row["label"] == row["predicted"]) for row in images}
    assert cards
    assert len(page.all("img")) - 3 * len(cards) - 1 == 3 * 6  # image, in-model, saliency of six images in the grid
    for label, right in groups:
        size = sum((row["label"], row["label"] == row["predicted"]) == (label, right) for row in images)
        words = "rightly" if right else "wrongly"
        assert f"{CLASSES[label]}, classified {words}: {min(4, size)} of {size}" in page.text
    assert "drawn at random with seed 5 from the test split" in page.text


def test_it_says_what_was_scored_and_how(run: RunFolder, page: Page):
    summary = load_results(run.evaluation).summary
    assert summary.scored.sha256[:16] in page.text
    assert "checkpoints/joint/last" in page.text
    assert "not comparable between different models" in page.text
    assert "made its heatmap anew for every perturbed image (recompute)" in page.text
    assert "softmax probability of the class predicted for the untouched image" in page.text
    assert "most relevant first (MoRF)" in page.text and "least relevant first" not in page.text
    assert "are over a draw (the same for every run) of 8 of the 12 images" in page.text


def test_training_tells_how_each_phase_ended(page: Page):
    assert "4 epochs in 14 s; interrupted and resumed 1 time." in page.text
    assert "Ended: explanation loss fell to 50% of its start" in page.text
    assert page.text.count("Ended: ") == 3


def test_settings_and_environment(run: RunFolder, page: Page):
    assert "explainer_width: 32" in page.text
    assert "cpus 2" in page.text
    assert "earlier python 3.12, cpus 4; python 3.13, cpus 8" in page.text
    assert str(run.recipe().dataset.path) in page.text


def test_legend_has_the_colours_of_the_lines(run: RunFolder):
    html = run.report.read_text(encoding="utf-8")
    for color in THEME:
        assert color not in html
    for name, style in LEGEND.items():
        assert re.search(rf'stroke: {re.escape(THEME[style.color])}"[^<]*/></svg>{name}</li>', html)


def test_the_command_to_evaluate_can_be_pasted(tmp_path: Path):
    run = make_run(tmp_path / "two words", evaluated=False)
    notice = next(line for line in read_content(run).notices if line.startswith("Not evaluated"))
    assert shlex.split(notice.split("`")[1]) == ["distxml", "evaluate", str(run.path)]


def test_same_run_same_report(run: RunFolder):
    first = run.report.read_bytes(), {path.name: path.read_bytes() for path in run.figures.iterdir()}
    assert write_report(run).path == run.report
    assert (run.report.read_bytes(), {path.name: path.read_bytes() for path in run.figures.iterdir()}) == first
    assert [path.name for path in run.path.iterdir() if "partial" in path.name] == []


def test_unfinished_run_without_evaluation_says_so(tmp_path: Path):
    run = make_run(tmp_path, evaluated=False, finished=False)
    page = page_without_figures(run)
    notices = [
        "Training has not finished: 1 of 3 phases are complete.",
        f"Not evaluated yet: run `distxml evaluate {run.path}`, then make the report again.",
    ]
    assert read_content(run).notices == notices and all(notice in page.text for notice in notices)
    assert f"{CLASSES[0]}: 4 of 6" in page.text  # the gallery of a model that was not evaluated
    assert "Not finished" in page.text
    assert "AOPC" not in page.text


def test_run_that_has_only_begun(copy: RunFolder):
    for path in (copy.metrics, copy.environment, copy.finished):
        path.unlink()
    shutil.rmtree(copy.evaluation)
    shutil.rmtree(copy.path / "checkpoints")
    notices = write_report(copy).notices
    assert notices[0] == "Training has not finished: 0 of 3 phases are complete."
    assert notices[2] == "No gallery: the joint phase has not written a checkpoint yet."
    assert parse(copy.report.read_text(encoding="utf-8")).all("svg") == []


def test_other_weights_than_those_scored_are_not_shown(copy: RunFolder):
    write_checkpoint(copy, small(seed=2))
    (notice,) = read_content(copy).notices
    assert "are not those that were scored" in notice
    assert page_without_figures(copy).all("img") == []


def test_missing_dataset_leaves_out_the_gallery_alone(copy: RunFolder):
    summary = json.loads((copy.evaluation / "summary.json").read_text())
    summary["dataset_path"] = str(copy.path / "nowhere")
    (copy.evaluation / "summary.json").write_text(json.dumps(summary))
    note_sums(copy.evaluation)
    config = json.loads(copy.config.read_text())
    config["dataset"]["path"] = str(copy.path / "nowhere")
    copy.config.write_text(json.dumps(config))
    (notice,) = read_content(copy).notices
    assert notice.startswith("No gallery: dataset")
    assert "Accuracy" in page_without_figures(copy).text


def test_a_checkpoint_outside_the_run_is_not_opened(copy: RunFolder):
    summary = json.loads((copy.evaluation / "summary.json").read_text())
    summary["scored"]["checkpoint"] = "../../elsewhere"
    (copy.evaluation / "summary.json").write_text(json.dumps(summary))
    note_sums(copy.evaluation)
    assert "lies outside the run" in read_content(copy).notices[0]


def test_damaged_weights_are_named_and_draw_no_heatmaps(copy: RunFolder):
    """It is not to be evaluated again: that would put the damaged model's figures over the good ones."""
    weights = copy.checkpoint(PhaseName.JOINT, "last") / "model.safetensors"
    flip_a_byte(weights)
    content = read_content(copy)
    (notice,) = content.notices
    assert notice.startswith(f"No gallery: checkpoint {weights.parent}: model.safetensors is not what was written")
    assert "copy the checkpoint again" in notice and "evaluate" not in notice
    assert content.gallery is None and content.results is not None


def test_other_settings_of_the_evaluation_are_shown(copy: RunFolder, page: Page):
    config = json.loads(copy.config.read_text())
    config["evaluation"]["target"] = "label"
    copy.config.write_text(json.dumps(config))
    assert "Settings of the evaluation" in page_without_figures(copy).text
    assert "Settings of the evaluation" not in page.text


def test_missing_run_is_named(tmp_path: Path):
    with pytest.raises(UserError, match=r"run .*nothing: no config\.json"):
        write_report(RunFolder(tmp_path / "nothing"))


def test_damaged_evaluation_is_named_and_the_old_report_stays(copy: RunFolder):
    before = copy.report.read_bytes()
    (copy.evaluation / "curves.parquet").write_bytes(b"PAR1 not parquet")
    with pytest.raises(UserError, match=r"curves\.parquet"):
        write_report(copy)
    assert copy.report.read_bytes() == before
