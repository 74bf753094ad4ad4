"""What do the settings of heatmap methods do to their AOPC?

    python benchmarks/attribution_settings.py runs/polygons            # minutes of one core
    python benchmarks/attribution_settings.py runs/polygons --quick    # does it run?

Scores a trained run's test images with one setting changed at a time: Grad-CAM's layer, integrated gradients' steps,
the noise of SmoothGrad, the window of occlusion, the masks of RISE; and signed methods beside absolute ones. The
evaluator's own code, in this process, without Ray. Prints JSON: for each setting the AOPC (MoRF, mean over patch sizes
and fills), how far it is from the first of its kind, image by image, with 95% intervals, and the passes of a heatmap.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from train_rounds import machine

from distxml.attribution.explained_model import ExplainedModel
from distxml.attribution.methods import METHODS
from distxml.config.evaluation import EvaluationSettings, Method
from distxml.config.run_folder import RunFolder
from distxml.data.reader import SplitReader
from distxml.data.rows import Row
from distxml.evaluation.prepare import Evaluation, prepare
from distxml.evaluation.scoring.scorer import ImageScorer
from distxml.evaluation.statistics.groups import Groups
from distxml.evaluation.statistics.intervals import means
from distxml.models.checkpoint import load_model
from distxml.models.gate import gates_by_place
from distxml.models.joint import JointModel

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Variant:
    """A method under a setting: the kind of change, and what differs from the defaults."""

    kind: str
    method: Method
    change: dict[str, object]


def variants(model: JointModel) -> list[Variant]:
    """The first of each kind is what the others are held against: the default, or the signed method."""
    layers = ["last", *list(gates_by_place(model.classifier))[-2::-1]]
    found = [Variant("grad_cam_layer", "grad_cam", {"grad_cam_layer": layer}) for layer in layers]
    for name, method, values in (
        ("integration_steps", "integrated_gradients", (32, 4, 8, 16, 64)),
        ("smoothgrad_noise", "smoothgrad", (0.15, 0.05, 0.3)),
        ("occlusion_window", "occlusion", (0.125, 0.25, 0.5)),
        ("rise_masks", "rise", (1000, 100, 300)),
    ):
        found += [Variant(name, method, {name: value}) for value in values]
    for method in ("input_x_gradient", "integrated_gradients"):
        found += [Variant(f"sign of {method}", name, {}) for name in (method, f"{method}_absolute")]
    return [*found, *(Variant("for comparison", method, {}) for method in ("in_model", "saliency", "lrp", "random"))]


class Study:
    """The same images and curves for every variant."""

    def __init__(self, run: RunFolder, quick: bool, images: int) -> None:
        recipe = run.recipe()
        self.settings = recipe.evaluation.model_copy(
            update={
                "curve_images": 6 if quick else images,
                "patch_sizes": (4, 8),
                "fills": ("black", "blur"),
                "range": "patches",
                "steps": 36,
            }
            | ({"rise_masks": 16} if quick else {})
        )
        self.evaluation = self._prepared(run, self.settings)
        self.model = load_model(self.evaluation.checkpoint.path).model
        self.run, self.quick = run, quick
        reader = SplitReader(self.evaluation.dataset, self.settings.split)
        keys = self.evaluation.plan.curve_keys
        places = [place for place, key in enumerate(reader.index().keys) if key in keys]
        self.rows: list[Row] = list(reader.rows_at(places))

    def _prepared(self, run: RunFolder, settings: EvaluationSettings) -> Evaluation:
        return prepare(run, run.recipe().model_copy(update={"evaluation": settings}))

    def aopc(self, variant: Variant) -> Values:
        """Of each image, the mean over patch sizes and fills."""
        settings = self.settings.model_copy(update={"methods": (variant.method,), **variant.change})
        spec = self._prepared(self.run, settings).spec
        scorer = ImageScorer(
            ExplainedModel(spec.recipe.scored_gating, self.model, self.model), spec, torch.device("cpu")
        )
        records = scorer.score(self.rows, settings.methods)
        return np.array([[curve.aopc for curve in record.curves] for record in records], np.float64).mean(1)

    def results(self) -> Iterator[dict[str, object]]:
        """A line per variant, as soon as it is measured."""
        groups, reference = Groups.of(row.group for row in self.rows), dict[str, Values]()
        for variant in variants(self.model)[:: 5 if self.quick else 1]:
            began = time.process_time()
            found = self.aopc(variant)
            seconds = time.process_time() - began
            first = reference.setdefault(variant.kind, found)
            settings = self.settings.model_copy(update=variant.change)
            yield {
                "kind": variant.kind,
                "method": variant.method,
                **variant.change,
                "aopc": _with_interval(found, groups),
                "minus_first": None if found is first else _with_interval(found - first, groups),
                "passes_per_heatmap": METHODS[variant.method].passes_per_heatmap(settings),
                "cpu_seconds": round(seconds, 1),
            }


def _with_interval(values: Values, groups: Groups) -> list[float]:
    """Mean, and the ends of its 95% interval."""
    found = means(values[:, None], groups)
    return [round(float(value[0]), 4) for value in (found.value, found.low, found.high)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--images", type=int, default=24)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    before, study = machine(1), Study(RunFolder(given.run), given.quick, given.images)
    lines = []
    for line in study.results():
        print(json.dumps(line), file=sys.stderr, flush=True)
        lines.append(line)
    weights = study.evaluation.scored.sha256
    print(json.dumps({"machine": before, "images": len(study.rows), "weights": weights, "variants": lines}, indent=2))


if __name__ == "__main__":
    main()
