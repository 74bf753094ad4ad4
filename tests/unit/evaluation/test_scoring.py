"""Scoring images with a model: every number of a row against the oracles."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch

from distxml.config.evaluation import EvaluationSettings
from distxml.data.rows import Row, collate, decode
from distxml.errors import UserError
from distxml.evaluation.fills import make_fills
from distxml.evaluation.image_record import split_table
from distxml.evaluation.patches import tie_order
from distxml.evaluation.plan import make_plan
from distxml.evaluation.scoring import ImageScorer
from tests.oracles import losses as loss_oracle
from tests.oracles import patches as patch_oracle
from tests.oracles import perturbation as perturbation_oracle
from tests.oracles.pompom import pompom as pompom_oracle
from tests.unit.evaluation.small_model import SIZE, small_model, small_recipe, small_rows

SEED = 5
SETTINGS = EvaluationSettings(patch_sizes=(8, 12), fills=("black", "uniform", "blur"), steps=6, batch_size=7)


def score(tmp_path, settings: EvaluationSettings, rows: list[Row]) -> tuple[pa.Table, pa.Table]:
    plan = make_plan(settings, SIZE, {row.key: row.label for row in rows}, SEED)
    scorer = ImageScorer(small_model(), small_recipe(tmp_path, settings), plan, torch.device("cpu"))
    return split_table(scorer.score(rows))


def numbers(table: pa.Table) -> np.ndarray:
    """All floating-point columns, side by side; null is NaN."""
    columns = [table[field.name].to_pylist() for field in table.schema if "double" in str(field.type)]
    return np.array([np.hstack([np.nan if value is None else value for value in row]) for row in zip(*columns)])  # noqa: B905


def test_a_row_of_the_images_agrees_with_the_oracles(tmp_path):
    rows, model = small_rows(5), small_model().model
    images, _ = score(tmp_path, SETTINGS, rows)
    for row, found in zip(rows, images.to_pylist(), strict=True):
        batch = collate([decode(row, SIZE)])
        with torch.no_grad():
            output = model(batch.image)
        heat, mask = output.heatmap[0, 0].double().numpy(), batch.mask[0, 0].double().numpy()
        assert 0 < heat.mean() < 1  # else this test would say little
        assert found["probabilities"] == pytest.approx(output.logits[0].double().softmax(0).tolist())
        assert found["predicted"] == int(output.logits[0].argmax())
        cross_entropy = loss_oracle.cross_entropy(output.logits[0].double().numpy(), row.label)
        explanation = loss_oracle.explanation(heat, mask, "hybrid", 0.8, 2.0)
        expected = {
            "classification": cross_entropy,
            "sparsity": loss_oracle.sparsity(heat),
            "contiguity": loss_oracle.contiguity(heat),
            "explanation": explanation,
            "total": 0.75 * cross_entropy + 0.25 * explanation,
            "heat_mean": heat.mean(),
        }
        assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-5)
        if row.mask is not None:
            of_outside, of_all = pompom_oracle(heat, mask)
            assert found["pompom"] == pytest.approx(of_outside, abs=1e-5)
            assert found["pompom_all_pixels"] == pytest.approx(of_all, abs=1e-5)
            assert found["weak"] == pytest.approx(loss_oracle.weak(heat, mask), abs=1e-5)
        if 0 < mask.mean() < 1:
            assert found["heat_inside"] == pytest.approx(heat[mask == 1].mean(), abs=1e-5)
            assert found["heat_outside"] == pytest.approx(heat[mask == 0].mean(), abs=1e-5)


def test_what_a_mask_cannot_say_is_null(tmp_path):
    images, _ = score(tmp_path, SETTINGS, small_rows(4))
    null = [[name for name, value in row.items() if value is None] for row in images.to_pylist()]
    heat = ["heat_inside", "heat_outside"]
    assert null == [["weak", "pompom", "pompom_all_pixels", *heat], heat, heat, []]


@pytest.mark.parametrize("mode", ["recompute", "fixed"])
@pytest.mark.parametrize("target", ["predicted", "label"])
def test_curves_agree_with_the_oracle(tmp_path, mode, target):
    settings = SETTINGS.model_copy(update={"heatmap_under_perturbation": mode, "target": target})
    row, model = small_rows(5)[3], small_model().model
    _, curves = score(tmp_path, settings, [row])
    image = collate([decode(row, SIZE)]).image
    output = model(image)
    label = row.label if target == "label" else int(output.logits[0].argmax())
    image_gradient = image.clone().requires_grad_()
    gate = None if mode == "recompute" else output.heatmap.detach()
    model(image_gradient, gate).logits[0, label].backward()
    assert image_gradient.grad is not None
    heat = {
        "in_model": output.heatmap[0, 0].detach().double().numpy(),
        "random": np.zeros(SIZE),
        "saliency": image_gradient.grad[0].abs().sum(0).double().numpy(),
    }
    fills = make_fills(image, [row.key], settings.fills, settings.blur_sigma, SEED)[:, 0].double().numpy()
    assert curves.num_rows == 3 * 2 * 3
    for found in curves.to_pylist():
        side = found["patch_size"]
        scores = patch_oracle.scores(heat[found["method"]], side)
        order = patch_oracle.order(scores, tie_order(row.key, side, len(scores), SEED).tolist())
        fill = fills[settings.fills.index(found["fill"])]
        pictures = perturbation_oracle.steps_of(image[0].double().numpy(), fill, order, side, 6)
        with torch.no_grad():
            f = [
                model(torch.from_numpy(picture).float()[None], gate).logits.double().softmax(1)[0, label].item()
                for picture in pictures
            ]
        assert max(f) - min(f) > 1e-3  # else this test would say little
        assert found["f"] == pytest.approx(f, abs=1e-5)
        assert found["aopc"] == pytest.approx(perturbation_oracle.aopc([f]), abs=1e-5)
        assert found["tie_share"] == pytest.approx(patch_oracle.tie_share(scores))
        assert (found["target"], found["steps"], found["label"]) == (label, 6, row.label)


def test_the_two_modes_differ(tmp_path):
    fixed = SETTINGS.model_copy(update={"heatmap_under_perturbation": "fixed"})
    recomputed = numbers(score(tmp_path, SETTINGS, small_rows(4))[1])
    kept = numbers(score(tmp_path, fixed, small_rows(4))[1])
    assert np.abs(recomputed - kept).max() > 1e-3


@pytest.mark.parametrize("batch_size", [1, 64, 1000])
def test_batch_size_and_company_change_nothing(tmp_path, batch_size):
    rows = small_rows(6)
    reference = [numbers(table) for table in score(tmp_path, SETTINGS, rows)]
    settings = SETTINGS.model_copy(update={"batch_size": batch_size})
    shuffled = [rows[index] for index in (4, 0, 5, 2, 1, 3)]
    for expected, found in zip(reference, score(tmp_path, settings, shuffled), strict=True):
        np.testing.assert_allclose(numbers(found), expected, atol=1e-5, rtol=0)


def test_random_is_a_fair_control_for_a_black_heatmap(tmp_path):
    """A method that says nothing has exactly the random order's curve."""
    loaded = small_model()
    torch.nn.init.constant_(loaded.model.explainer.normalize.bias, -100.0)
    rows = small_rows(3)
    plan = make_plan(SETTINGS, SIZE, {row.key: row.label for row in rows}, SEED)
    scorer = ImageScorer(loaded, small_recipe(tmp_path, SETTINGS), plan, torch.device("cpu"))
    images, curves = split_table(scorer.score(rows))
    assert set(images["heat_mean"].to_pylist()) == {0.0}
    by_method = {name: curves.filter(pc.field("method") == name) for name in ("in_model", "random")}
    assert set(by_method["in_model"]["tie_share"].to_pylist()) == {1.0}
    assert by_method["in_model"]["f"].to_pylist() == by_method["random"]["f"].to_pylist()


def test_a_heatmap_of_nan_names_the_method_and_the_image(tmp_path):
    class NotANumber:
        def heatmap(self, image, target):
            return torch.full((1, 1, *SIZE), torch.nan)

    row = small_rows(1)[0]
    plan = make_plan(SETTINGS, SIZE, {row.key: row.label}, SEED)
    scorer = ImageScorer(small_model(), small_recipe(tmp_path, SETTINGS), plan, torch.device("cpu"))
    scorer.methods["saliency"] = NotANumber()
    with pytest.raises(UserError, match=r"method saliency: its heatmap of image image-0 is not finite"):
        scorer.score([row])


def test_a_model_of_nan_names_the_image(tmp_path):
    loaded = small_model()
    torch.nn.init.constant_(next(loaded.model.classifier.parameters()), torch.nan)
    row = small_rows(1)[0]
    plan = make_plan(SETTINGS, SIZE, {row.key: row.label}, SEED)
    scorer = ImageScorer(loaded, small_recipe(tmp_path, SETTINGS), plan, torch.device("cpu"))
    with pytest.raises(UserError, match=r"image image-0: the model's logits are not finite"):
        scorer.score([row])


def test_an_image_that_does_not_decode_is_named(tmp_path):
    row = replace(small_rows(1)[0], image=b"not an image")
    with pytest.raises(UserError, match="image-0"):
        score(tmp_path, SETTINGS, [row])


def test_only_chosen_images_are_perturbed(tmp_path):
    settings = SETTINGS.model_copy(update={"curve_images": 2})
    images, curves = score(tmp_path, settings, small_rows(6))
    assert images.num_rows == 6
    assert len(set(curves["key"].to_pylist())) == 2
    assert sorted(set(curves["label"].to_pylist())) == [0, 1]
