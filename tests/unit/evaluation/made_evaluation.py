"""An evaluation whose three tables are made up: as they come from the workers, without a model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from distxml.config.evaluation import EvaluationSettings
from distxml.data.digest import classes_digest
from distxml.data.location import locate
from distxml.data.schema import SPLITS, Dataset, DatasetMetadata, RowGroup, Shard
from distxml.evaluation.perturbation.areas import aopc_by_steps
from distxml.evaluation.prepare import Evaluation
from distxml.evaluation.results import Results
from distxml.evaluation.scoring.plan import ScoringSpec, make_plan
from distxml.evaluation.statistics.summarize import summarize
from distxml.evaluation.summary import ScoredModel, Summary
from distxml.evaluation.tables import CURVES_SCHEMA, HEATMAPS_SCHEMA, IMAGES_SCHEMA
from distxml.storage.pinned import PinnedFolder
from tests.unit.evaluation.small_model import small_recipe

SIZE = (16, 16)
TERMS = ("classification", "sparsity", "contiguity", "explanation", "total", "heat_mean")
OF_MASKS = ("weak", "pompom", "pompom_all_pixels", "heat_inside", "heat_outside")
LOCALIZATION = ("pompom", "pompom_all_pixels", "pompom_equal_area", "energy_inside", "pointing")
SETTINGS = EvaluationSettings(
    methods=("in_model", "random", "lrp"),
    orders=("morf", "lerf"),
    patch_sizes=(8, 5, 64),
    fills=("black", "blur"),
    range="patches",
    min_patches=1,
    steps=7,  # all 4 patches of 8×8, but not the 16 of 5×5
    bootstrap=201,
)
Row = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """An evaluation and its rows, in no particular order."""

    evaluation: Evaluation
    images: list[Row]
    heatmaps: list[Row]
    curves: list[Row]

    @property
    def tables(self) -> tuple[pa.Table, pa.Table, pa.Table]:
        """Images, heatmaps, curves."""
        rows = (self.images, self.heatmaps, self.curves)
        schemas = (IMAGES_SCHEMA, HEATMAPS_SCHEMA, CURVES_SCHEMA)
        images, heatmaps, curves = (pa.Table.from_pylist(*pair) for pair in zip(rows, schemas, strict=True))
        return images, heatmaps, curves

    @property
    def summary(self) -> Summary:
        """What is made of them."""
        return summarize(self.evaluation, *self.tables)


def make_evaluation(
    settings: EvaluationSettings = SETTINGS,
    labels: tuple[int, ...] = (0, 1, 1, 0, 1, 0, 0),
    classes: tuple[str, ...] = ("circle", "triangle"),
    *,
    annotated: bool = True,
    seed: int = 0,
    groups: tuple[str | None, ...] | None = None,
) -> Made:
    """Random rows, every third image without a mask; values are coarse, so that some are equal."""
    groups = groups or (None,) * len(labels)
    generator = np.random.default_rng(seed)
    keys = [f"image-{number}" for number in generator.permutation(len(labels))]
    evaluation = _evaluation(settings, dict(zip(keys, labels, strict=True)), classes)
    with_mask = [annotated and number % 3 > 0 for number in range(len(labels))]
    images: list[Row] = []
    heatmaps: list[Row] = []
    curves: list[Row] = []
    for key, label, has_mask, group in zip(keys, labels, with_mask, groups, strict=True):
        images.append(_image(generator, key, label, len(classes), has_mask) | {"group": group})
        if key in evaluation.plan.curve_keys:
            place = {"key": key, "group": group, "label": label, "target": int(generator.integers(len(classes)))}
            heatmaps += [place | one for one in _heatmaps(generator, evaluation, has_mask)]
            curves += [place | one for one in _curves(generator, evaluation)]
    return Made(evaluation, images, heatmaps, curves)


def make_results(settings: EvaluationSettings = SETTINGS, **what: Any) -> Results:
    """The same with its summary."""
    made = make_evaluation(settings, **what)
    return Results(made.summary, *made.tables)


def _image(generator: np.random.Generator, key: str, label: int, classes: int, has_mask: bool) -> Row:
    probabilities = generator.integers(1, 6, classes) / 8
    terms = {name: float(generator.random()) for name in TERMS}
    masked = {name: float(generator.random()) if has_mask else None for name in OF_MASKS}
    scores = {"predicted": int(probabilities.argmax()), "probabilities": probabilities.tolist()}
    return {"key": key, "label": label} | scores | terms | masked


def _heatmaps(generator: np.random.Generator, evaluation: Evaluation, has_mask: bool) -> list[Row]:
    rows: list[Row] = []
    for method in evaluation.plan.methods:
        values = {name: float(generator.random()) if has_mask else None for name in LOCALIZATION}
        if generator.random() < 0.3:
            values["energy_inside"] = None  # no heat
        rows.append({"method": method} | values)
    return [row for row in rows if row["method"] != "random"]


def _curves(generator: np.random.Generator, evaluation: Evaluation) -> list[Row]:
    rows: list[Row] = []
    for curve in evaluation.plan.curves:
        for fill in evaluation.plan.fills:
            f = np.concatenate([[0.75], generator.integers(0, 3, curve.steps) / 4])
            place = {"method": curve.method, "patch_size": curve.patch_size, "order": curve.order, "fill": fill}
            share = [count / curve.patches for count in curve.counts]
            aopc = aopc_by_steps(f, np.array(share), evaluation.recipe.evaluation.share_limit)[-1]
            areas = {"aopc": float(aopc), "tie_share": float(generator.random())}
            rows.append(place | {"steps": curve.steps, "share": share, "f": f.tolist()} | areas)
    return rows


def _evaluation(settings: EvaluationSettings, label_of_key: dict[str, int], classes: tuple[str, ...]) -> Evaluation:
    recipe = small_recipe(Path("nowhere"), settings)
    plan = make_plan(settings, SIZE, label_of_key, recipe.run.seed)
    checkpoint = "checkpoints/joint/last"
    scored = ScoredModel(
        gating=recipe.scored_gating,
        checkpoint=checkpoint,
        sha256="0",
        explainer_checkpoint=checkpoint,
        explainer_sha256="0",
        classifier="vgg",
        image_size=SIZE,
        training_finished=True,
    )
    return Evaluation(
        checkpoint=PinnedFolder(Path(checkpoint)),
        explainer_checkpoint=PinnedFolder(Path(checkpoint)),
        scored=scored,
        architectures=(recipe.model, recipe.model),
        dataset=Dataset(locate("nowhere"), _metadata(list(label_of_key.values()), classes), "0"),
        label_of_key=label_of_key,
        class_weights=None,
        primary_is_of_recipe=True,
        spec=ScoringSpec(recipe, plan, SIZE, target_class=None),
    )


def _metadata(labels: list[int], classes: tuple[str, ...]) -> DatasetMetadata:
    rows = len(labels)
    group = RowGroup(rows=rows, sha256="0")
    counts = {name: labels.count(label) for label, name in enumerate(classes)}
    return DatasetMetadata(
        name="made up",
        classes=classes,
        classes_sha256=classes_digest(classes),
        counts={split: counts if split == "test" else dict.fromkeys(classes, 0) for split in SPLITS},
        annotated=dict.fromkeys(SPLITS, 0),
        groups=None,
        shards=(Shard(file="a", split="test", rows=rows, sha256="0", index_sha256="0", groups=(group,)),),
        recipe={},
        made_by="a test",
    )
