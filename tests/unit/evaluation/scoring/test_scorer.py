"""Scoring images with a model: every number of a row against the oracles."""

import copy
import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cache
from typing import ClassVar

import numpy as np
import pytest
import torch

from distxml.attribution.explained_model import ExplainedModel
from distxml.attribution.methods import METHODS
from distxml.config.evaluation import EvaluationSettings, Method
from distxml.data.rows import Row, collate, decode
from distxml.errors import UserError
from distxml.evaluation.perturbation.fill_images import make_fills
from distxml.evaluation.perturbation.patches import tie_order
from distxml.evaluation.scoring.records import CurveRecord, MethodRecord
from distxml.evaluation.verdict import SAME
from distxml.models.joint import JointModel
from tests.oracles import losses as loss_oracle
from tests.oracles import patches as patch_oracle
from tests.oracles import perturbation as perturbation_oracle
from tests.oracles.pompom import pompom as pompom_oracle
from tests.unit.evaluation.small_model import (
    CLASSES,
    SEED,
    SIZE,
    small_explained,
    small_model,
    small_rows,
    small_scorer,
)

THREE: tuple[Method, ...] = ("in_model", "saliency", "random")
SETTINGS = EvaluationSettings(
    methods=THREE,
    patch_sizes=(8, 12),
    min_patches=1,
    fills=("black", "uniform", "blur"),
    range="patches",
    steps=6,
    batch_size=7,
)
FEW_DRAWS = {"smoothgrad_samples": 3, "rise_masks": 20, "occlusion_window": 0.25, "occlusion_stride": 1.0}
BOTH_ORDERS = SETTINGS.model_copy(
    update={"orders": ("morf", "lerf"), "fills": ("black", "white", "gray", "uniform", "blur")}
)


def scored(tmp_path, settings: EvaluationSettings, rows: list[Row], explained: ExplainedModel | None = None):
    return small_scorer(tmp_path, settings, rows, explained).score(rows, settings.methods)


def numbers(records: Sequence[MethodRecord]) -> list[list[float]]:
    """Of each record, all that has a decimal point; None is NaN."""
    return [[math.nan if value is None else value for value in _floats(asdict(record))] for record in records]


def _floats(value: object) -> list[float | None]:
    if isinstance(value, dict):
        return [number for part in value.values() for number in _floats(part)]
    if isinstance(value, list):
        return [number for part in value for number in _floats(part)]
    return [value] if value is None or isinstance(value, float) else []


def test_a_row_of_the_images_agrees_with_the_oracles(tmp_path):
    rows, model = small_rows(5), small_model().model
    for row, record in zip(rows, small_scorer(tmp_path, SETTINGS, rows).describe(rows), strict=True):
        found, batch = asdict(record), collate([decode(row, SIZE)])
        with torch.no_grad():
            output = model(batch.image)
        heat, mask = output.heatmap[0, 0].double().numpy(), batch.mask[0, 0].double().numpy()
        assert 0 < heat.mean() < 1  # else this test would say little
        assert (found["key"], found["label"]) == (row.key, row.label)
        assert found["probabilities"] == pytest.approx(output.logits[0].double().softmax(0).tolist(), abs=1e-5)
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


def test_the_classifier_of_its_own_phase_is_described_under_a_white_heatmap_with_the_explainers_heat(tmp_path):
    rows, explained = small_rows(3), small_explained("classifier_phase")
    settings = SETTINGS.model_copy(update={"f": "classifier_phase"})
    for row, found in zip(rows, small_scorer(tmp_path, settings, rows).describe(rows), strict=True):
        image = collate([decode(row, SIZE)]).image
        with torch.no_grad():
            logits = explained.model(image, torch.ones(1, 1, *SIZE)).logits[0]
            heat = explained.explainer(image).heatmap
        assert found.probabilities == pytest.approx(logits.double().softmax(0).tolist(), abs=1e-5)
        assert found.heat_mean == pytest.approx(float(heat.mean()))


def test_what_a_mask_cannot_say_is_null(tmp_path):
    rows = small_rows(4)
    null = [
        [name for name, value in asdict(record).items() if value is None and name != "group"]
        for record in small_scorer(tmp_path, SETTINGS, rows).describe(rows)
    ]
    heat = ["heat_inside", "heat_outside"]
    assert null == [["weak", "pompom", "pompom_all_pixels", *heat], heat, heat, []]


class Oracle:
    """f in float64, one perturbed image at a time; heatmaps are the model's own, in its precision."""

    logits_of: ClassVar[dict[tuple[str, str, bytes], list[float]]] = {}
    """By f, image and pixels: most pictures come in the curves of several targets and outputs."""

    def __init__(self, settings: EvaluationSettings, row: Row) -> None:
        self.settings, self.key = settings, row.key
        self.explained = small_explained(settings.f)
        self.image = collate([decode(row, SIZE)]).image
        with torch.no_grad():
            self.heatmap = self.explained.explainer(self.image).heatmap
        self.precise = copy.deepcopy(self.explained.model).double()
        predicted = int(np.argmax(self.logits(self.image)))
        named = CLASSES.index(settings.target) if settings.target in CLASSES else predicted
        self.target = row.label if settings.target == "label" else named
        self.heat = cache(self._heat)

    def gate(self, heatmap: torch.Tensor) -> torch.Tensor | None:
        gates = {"recompute": None, "fixed": heatmap, "classifier_phase": torch.ones(1, 1, *SIZE)}
        return gates[self.settings.f]

    def logits(self, image: torch.Tensor) -> list[float]:
        picture = (self.settings.f, self.key, image.double().numpy().tobytes())
        if picture not in self.logits_of:
            gate = self.gate(self.heatmap)
            with torch.no_grad():
                output = self.precise(image.double(), gate if gate is None else gate.double())
            self.logits_of[picture] = output.logits[0].tolist()
        return self.logits_of[picture]

    def _heat(self, method: str) -> np.ndarray:
        """H×W, as the method's definition has it."""
        if method == "in_model":
            return self.heatmap[0, 0].double().numpy()
        if method == "random":
            return np.zeros(SIZE)
        image = self.image.clone().requires_grad_()
        self.explained.model(image, self.gate(self.heatmap)).logits[0, self.target].backward()
        assert image.grad is not None
        return image.grad[0].abs().sum(0).double().numpy()

    def patch_scores(self, method: str, side: int) -> list[float]:
        return patch_oracle.scores(self.heat(method), side)

    def curve(self, method: str, curve: CurveRecord) -> list[float]:
        scores = self.patch_scores(method, curve.patch_size)
        ties = tie_order(self.key, curve.patch_size, len(scores), SEED).tolist()
        order = patch_oracle.order(scores, ties, curve.order)
        fills = make_fills(self.image, [self.key], [curve.fill], self.settings.blur_sigma, SEED)
        image, fill = self.image[0].double().numpy(), fills[0, 0].double().numpy()
        pictures = perturbation_oracle.steps_of(image, fill, order, curve.patch_size, curve.steps)
        return [
            perturbation_oracle.followed(
                self.logits(torch.from_numpy(picture)[None]), self.target, self.settings.output
            )
            for picture in pictures
        ]


@pytest.mark.parametrize("f", ["recompute", "fixed", "classifier_phase"])
@pytest.mark.parametrize("target", ["predicted", "label", "triangle"])
@pytest.mark.parametrize("output", ["probability", "logit"])
def test_curves_agree_with_the_oracle(tmp_path, f, target, output):
    """Every fill, in both orders, with patches that do and do not divide the image."""
    settings = BOTH_ORDERS.model_copy(update={"f": f, "target": target, "output": output})
    row = small_rows(5)[3]  # predicted a circle, but for `classifier_phase`
    oracle = Oracle(settings, row)
    records = scored(tmp_path, settings, [row])
    assert [record.method for record in records] == list(THREE)
    assert max(max(curve.f) - min(curve.f) for record in records for curve in record.curves) > 0.01
    rounding = 1e-5 if output == "probability" else 3e-5  # of a logit that may be the small difference of large numbers
    for record in records:
        assert (record.key, record.label, record.target) == (row.key, row.label, oracle.target)
        assert [(curve.patch_size, curve.order, curve.fill) for curve in record.curves] == [
            (size, order, fill)
            for size in (8, 12)
            for order in (("morf",) if record.method == "random" else ("morf", "lerf"))
            for fill in settings.fills
        ]
        for curve in record.curves:
            expected = oracle.curve(record.method, curve)
            assert curve.steps == 6 and len(curve.f) == 7
            assert curve.f == pytest.approx(expected, abs=rounding, rel=1e-5)
            assert curve.aopc == pytest.approx(perturbation_oracle.aopc([expected]), abs=rounding, rel=1e-5)
            ties = patch_oracle.tie_share(oracle.patch_scores(record.method, curve.patch_size))
            assert curve.tie_share == pytest.approx(ties)


@pytest.mark.parametrize("f", ["recompute", "fixed", "classifier_phase"])
def test_complete_curves_end_with_the_fill(tmp_path, f):
    settings = BOTH_ORDERS.model_copy(update={"f": f, "steps": "all", "patch_sizes": (12, 32)})
    row = small_rows(5)[4]
    oracle = Oracle(settings, row)
    fills = make_fills(oracle.image, [row.key], settings.fills, settings.blur_sigma, SEED)[:, 0]
    ends = {
        fill: perturbation_oracle.followed(oracle.logits(image[None]), oracle.target, "probability")
        for fill, image in zip(settings.fills, fills, strict=True)
    }
    last: dict[str, set[float]] = {fill: set() for fill in settings.fills}
    for record in scored(tmp_path, settings, [row]):
        for curve in record.curves:
            assert len(curve.f) == {12: 9, 32: 1}[curve.patch_size] + 1
            assert curve.f == pytest.approx(oracle.curve(record.method, curve), abs=1e-5)
            last[curve.fill].add(curve.f[-1])
    for fill, values in last.items():
        assert len(values) == 1, "it is scored once"
        assert values.pop() == pytest.approx(ends[fill], abs=1e-5)


def test_steps_above_the_number_of_patches_are_all_of_them(tmp_path):
    rows = small_rows(1)
    found = [
        scored(tmp_path, SETTINGS.model_copy(update={"steps": steps}), rows) for steps in ("all", 16, 100)
    ]  # 16 patches of 8 pixels, 9 of 12
    assert found[0] == found[1] == found[2]
    assert {curve.steps for record in found[0] for curve in record.curves} == {16, 9}


@pytest.mark.parametrize("f", ["recompute", "fixed", "classifier_phase"])
def test_batch_size_and_the_other_images_change_nothing(tmp_path, f):
    rows = small_rows(3)
    settings = SETTINGS.model_copy(update={"f": f, "orders": ("morf", "lerf"), "fills": ("uniform", "blur")})
    expected = {(record.key, record.method): record for record in scored(tmp_path, settings, rows)}
    assert len(expected) == 9
    shuffled = [rows[index] for index in (2, 0, 1)]
    for batch_size in (1, 64, 1000):
        settings = settings.model_copy(update={"batch_size": batch_size, "methods": THREE[::-1]})
        found = {(record.key, record.method): record for record in scored(tmp_path, settings, shuffled)}
        assert found.keys() == expected.keys()
        for place, record in found.items():
            np.testing.assert_allclose(numbers([record])[0], numbers([expected[place]])[0], atol=1e-5, rtol=0)


def test_no_heatmap_depends_on_the_batch_size(tmp_path):
    """To the bit: patches that score nearly the same would change places."""
    (row,) = small_rows(1)
    found = []
    for batch_size in (1, 7, 64):
        settings = SETTINGS.model_copy(update=FEW_DRAWS | {"methods": METHODS.names(), "batch_size": batch_size})
        scorer = small_scorer(tmp_path, settings, [row])
        image = scorer.clean_pass.score(row)
        found.append({name: scorer._heatmap(name, image) for name in settings.methods})
    for name in METHODS.names():
        assert all(torch.equal(found[0][name], other[name]) for other in found[1:]), name


def test_some_methods_score_as_all_of_them_do(tmp_path):
    rows = small_rows(3)
    scorer = small_scorer(tmp_path, SETTINGS, rows)
    together = [record for record in scorer.score(rows, THREE) if record.method == "saliency"]
    np.testing.assert_allclose(numbers(scorer.score(rows, ["saliency"])), numbers(together), atol=1e-5, rtol=0)


def with_bias(value: float) -> ExplainedModel:
    """The small model, with a heatmap that is black or white everywhere."""
    model = small_model().model
    torch.nn.init.constant_(model.explainer.normalize.bias, value)
    torch.nn.init.zeros_(model.explainer.normalize.weight)
    return ExplainedModel("recompute", model, model)


@pytest.mark.parametrize("bias", [-100.0, 0.5, 100.0])
def test_a_heatmap_that_is_the_same_everywhere_is_a_random_order(tmp_path, bias):
    """A method that says nothing has exactly the random order's curve, in both directions."""
    settings = SETTINGS.model_copy(update={"orders": ("morf", "lerf")})
    rows = small_rows(3)
    records = scored(tmp_path, settings, rows, with_bias(bias))
    for row in rows:
        in_model, _, random = (record for record in records if record.key == row.key)
        assert {curve.tie_share for curve in in_model.curves} == {1.0}
        for order in ("morf", "lerf"):
            said = [curve.f for curve in in_model.curves if curve.order == order]
            np.testing.assert_allclose(said, [curve.f for curve in random.curves], atol=1e-6)


def test_one_image(tmp_path):
    row = small_rows(1)[0]
    assert [len(record.curves) for record in scored(tmp_path, SETTINGS, [row])] == [6, 6, 6]


def test_one_class(tmp_path):
    """Its probability is 1 whatever is replaced; its logit is not."""
    loaded = small_model()
    model = JointModel(loaded.card.settings, classes=1)
    shared = {
        name: value for name, value in loaded.model.state_dict().items() if not name.startswith("classifier.head.6")
    }
    model.load_state_dict(shared, strict=False)
    rows = [replace(row, label=0) for row in small_rows(2)]
    explained = ExplainedModel("recompute", model, model)
    records = scored(tmp_path, SETTINGS, rows, explained)
    assert {record.target for record in records} == {0}
    assert {value for record in records for curve in record.curves for value in curve.f} == {1.0}
    assert {curve.aopc for record in records for curve in record.curves} == {0.0}
    logits = scored(tmp_path, SETTINGS.model_copy(update={"output": "logit"}), rows, explained)
    assert all(len(set(curve.f)) > 1 for record in logits for curve in record.curves)


def test_patches_larger_than_the_image_are_left_out(tmp_path):
    settings = SETTINGS.model_copy(update={"patch_sizes": (33, 16)})
    (record, *_) = scored(tmp_path, settings, small_rows(1))
    assert {curve.patch_size for curve in record.curves} == {16}


def test_a_heatmap_of_nan_names_the_method_and_the_image(tmp_path):
    class NotANumber:
        def heatmap(self, image, target):
            heatmap = torch.zeros(1, 1, *SIZE)
            heatmap[0, 0, 3, 4] = torch.nan
            return heatmap

    row = small_rows(1)[0]
    scorer = small_scorer(tmp_path, SETTINGS, [row])
    scorer.methods["saliency"] = NotANumber()
    with pytest.raises(UserError, match=r"method saliency: its heatmap of image image-0 is not finite"):
        scorer.score([row], THREE)


def test_a_model_of_nan_names_the_image(tmp_path):
    explained = small_explained()
    torch.nn.init.constant_(next(explained.model.classifier.parameters()), torch.nan)
    row = small_rows(1)[0]
    scorer = small_scorer(tmp_path, SETTINGS, [row], explained)
    for score in (lambda: scorer.score([row], THREE), lambda: scorer.describe([row])):
        with pytest.raises(UserError, match=r"image image-0: the model's logits are not finite"):
            score()


def test_a_model_that_is_nan_where_patches_are_black_names_the_image_and_the_method(tmp_path):
    class NotANumberInTheDark(ExplainedModel):
        def logits(self, image, gate):
            dark = (image == 0).flatten(1).float().mean(1) > 0.3
            return super().logits(image, gate).masked_fill(dark.unsqueeze(1), torch.nan)

    row, plain = small_rows(1)[0], small_explained()
    scorer = small_scorer(tmp_path, SETTINGS, [row], NotANumberInTheDark(plain.gating, plain.model, plain.explainer))
    assert scorer.describe([row])
    with pytest.raises(UserError, match=r"image image-0: .* not finite when patches of 8 pixels are replaced \(in_mod"):
        scorer.score([row], THREE)


@pytest.mark.parametrize("batch_size", [3, 7, 64])
def test_a_white_heatmap_ties_with_the_random_order(tmp_path, batch_size: int):
    """The same patches in the same order: no image is won, wherever its x(k) lie in a batch."""
    explained = small_explained()
    torch.nn.init.constant_(explained.explainer.explainer.normalize.bias, 1e3)
    settings = SETTINGS.model_copy(update={"methods": ("in_model", "random"), "batch_size": batch_size})
    records = scored(tmp_path, settings, small_rows(8), explained)
    for own, other in zip(records[::2], records[1::2], strict=True):
        assert {(own.method, own.key), (other.method, other.key)} == {("in_model", own.key), ("random", own.key)}
        differences = [abs(a.aopc - b.aopc) for a, b in zip(own.curves, other.curves, strict=True)]
        assert max(differences) < SAME / 5


def test_another_f_on_the_curves_than_before_is_noticed(tmp_path):
    """Should the curves not start where the clean pass was, nothing is written."""
    row = small_rows(1)[0]
    scorer = small_scorer(tmp_path, SETTINGS, [row])
    scorer.explained = small_explained("classifier_phase")
    with pytest.raises(RuntimeError, match=r"image image-0: f\(x\(0\)\) is"):
        scorer.score([row], THREE)


def test_an_image_that_does_not_decode_is_named(tmp_path):
    row = replace(small_rows(1)[0], image=b"not an image")
    with pytest.raises(UserError, match="image-0"):
        scored(tmp_path, SETTINGS, [row])
