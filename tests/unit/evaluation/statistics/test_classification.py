"""Classification metrics against scikit-learn, and splits that lack a class."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from distxml.evaluation.statistics.classification import (
    area_metrics,
    confusion_matrix,
    precision_recall_curves,
    roc_curves,
    weighted_areas,
)
from distxml.evaluation.statistics.groups import Groups
from distxml.evaluation.statistics.resamples import Resamples


def scored(seed: int, images: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities N×C with ties, and labels that hold every class."""
    generator = np.random.default_rng(seed)
    probabilities = generator.integers(1, 6, (images, classes)).astype(float)
    label = np.concatenate([np.arange(classes), generator.integers(0, classes, images - classes)])
    return probabilities / probabilities.sum(1, keepdims=True), label


@given(st.integers(0, 2**32), st.integers(5, 30), st.integers(2, 4))
def test_areas_agree_with_scikit_learn(seed, images, classes):
    probabilities, label = scored(seed, images, classes)
    names = [f"class {index}" for index in range(classes)]
    one_against_rest = [1] if classes == 2 else list(range(classes))
    roc = roc_curves(probabilities, label, names)
    precision_recall = precision_recall_curves(probabilities, label, names)
    assert [curve.class_name for curve in roc] == [names[index] for index in one_against_rest]
    for index, upper, lower in zip(one_against_rest, roc, precision_recall, strict=True):
        score, positive = probabilities[:, index], label == index
        assert upper.area == pytest.approx(roc_auc_score(positive, score), abs=1e-12)
        assert lower.area == pytest.approx(average_precision_score(positive, score), abs=1e-12)
        fallout, recall, _ = roc_curve(positive, score, drop_intermediate=False)
        assert (upper.x, upper.y) == (pytest.approx(fallout), pytest.approx(recall))
        precision, recall, _ = precision_recall_curve(positive, score)
        assert (lower.x, lower.y) == (pytest.approx(recall), pytest.approx(precision))
        alone = weighted_areas(score, positive, np.ones((1, images)))[0]
        assert alone == pytest.approx([upper.area, lower.area], abs=1e-12)


@given(st.integers(0, 2**32))
def test_a_resample_counts_images_several_times(seed):
    probabilities, label = scored(seed, 12, 2)
    counts = np.random.default_rng(seed).integers(0, 3, 12)
    counts[:2] = 1  # both classes stay
    repeated = np.repeat(np.arange(12), counts)
    score, positive = probabilities[:, 1], label == 1
    expected = [measure(positive[repeated], score[repeated]) for measure in (roc_auc_score, average_precision_score)]
    assert weighted_areas(score, positive, counts[None].astype(float))[0] == pytest.approx(expected)


def test_macro_is_the_mean_of_the_classes_with_an_interval_around_it():
    probabilities, label = scored(3, 60, 3)
    names = ["a", "b", "c"]
    roc, pr = roc_curves(probabilities, label, names), precision_recall_curves(probabilities, label, names)
    auc, average = area_metrics(roc, pr, probabilities, label, Resamples(Groups(np.arange(60)), 200, 0))
    assert auc.value == pytest.approx(np.mean([curve.area for curve in roc]))
    assert average.value == pytest.approx(np.mean([curve.area for curve in pr]))
    for metric in (auc, average):
        low, value, high = metric.low or 0, metric.value or 0, metric.high or 0
        assert 0 < low < value < high


@pytest.mark.parametrize("classes", [1, 2, 3])
def test_a_split_of_one_class_has_no_areas_and_does_not_crash(classes):
    probabilities = np.full((4, classes), 1 / classes)
    label = np.zeros(4, np.int64)
    names = [str(index) for index in range(classes)]
    assert roc_curves(probabilities, label, names) == ()
    metrics = area_metrics((), (), probabilities, label, Resamples(Groups(np.arange(4)), 100, 0))
    assert [(metric.value, metric.low, metric.images) for metric in metrics] == [(None, None, 4)] * 2
    assert confusion_matrix(label, label, classes)[0][0] == 4


def test_a_missing_class_among_three_is_left_out():
    probabilities, label = scored(0, 20, 3)
    label[label == 2] = 0
    assert [curve.class_name for curve in roc_curves(probabilities, label, ["a", "b", "c"])] == ["a", "b"]


def test_confusion_has_true_classes_as_rows():
    predicted, label = np.array([0, 1, 1, 1]), np.array([0, 0, 0, 1])
    assert confusion_matrix(predicted, label, 2) == ((1, 2), (0, 1))


def test_classes_that_are_separated_without_an_error_have_no_interval():
    label = np.repeat([0, 1], 10)
    probabilities = np.stack([1 - label, label], 1) * 0.8 + 0.1
    roc = roc_curves(probabilities, label, ["a", "b"])
    pr = precision_recall_curves(probabilities, label, ["a", "b"])
    metrics = area_metrics(roc, pr, probabilities, label, Resamples(Groups(np.arange(20)), 200, 0))
    assert [(metric.value, metric.low, metric.high) for metric in metrics] == [(1, None, None)] * 2


def test_areas_resample_patients_and_need_six_of_them():
    """Copies of an image say nothing new: ten copies of each of 12 patients are as wide as the 12 themselves."""
    probabilities, label = scored(5, 12, 2)
    many, label_of_many, group = (np.repeat(values, 10, axis=0) for values in (probabilities, label, np.arange(12)))

    def widths(probabilities: np.ndarray, label: np.ndarray, resamples: Resamples) -> list[float | None]:
        roc, pr = (
            roc_curves(probabilities, label, ["a", "b"]),
            precision_recall_curves(probabilities, label, ["a", "b"]),
        )
        metrics = area_metrics(roc, pr, probabilities, label, resamples)
        return [None if one.low is None or one.high is None else one.high - one.low for one in metrics]

    single = widths(probabilities, label, Resamples(Groups(np.arange(12)), 400, 0))
    assert widths(many, label_of_many, Resamples(Groups(group), 400, 0)) == pytest.approx(single)
    assert widths(probabilities, label, Resamples(Groups(np.arange(12) % 5), 400, 0)) == [None, None]


def test_areas_need_six_patients_with_the_class_and_six_without():
    generator = np.random.default_rng(0)
    for positives, known in ((5, False), (6, True)):
        label = (np.arange(60) < positives).astype(np.int64)
        score = generator.random(60) * 0.5 + 0.2 * label
        probabilities = np.stack([1 - score, score], 1)
        roc, pr = (
            roc_curves(probabilities, label, ["a", "b"]),
            precision_recall_curves(probabilities, label, ["a", "b"]),
        )
        metrics = area_metrics(roc, pr, probabilities, label, Resamples(Groups(np.arange(60)), 200, 0))
        assert [metric.low is not None for metric in metrics] == [known, known]
