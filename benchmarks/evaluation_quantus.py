"""`evaluation.py quantus`: seconds of the same curves by Quantus' RegionPerturbation and by `ImageScorer.score`.

MoRF curves of the in-model heatmap, a black fill, patches of 32 pixels, 48 steps. Both decode the images, choose the
class and make the heatmaps within their seconds; for Quantus that is done as its user would, all images as one batch,
which its passes then score at once too; a second time with as few at once as ours takes, where its user can say so.
Both score with the same network and memory layout. That the curves are the same where the definitions are is tested
in `tests/unit/evaluation/test_quantus.py`.
"""

from pathlib import Path

import quantus
import torch
from evaluation_material import Subject, scorer_of
from evaluation_scorer import seconds
from torch import Tensor, nn
from train_rounds import Measure, medians, ranges, significant, take_turns

from distxml.attribution.explained_model import ExplainedModel, GateInput
from distxml.config.evaluation import EvaluationSettings, Method
from distxml.data.rows import collate, decode

OURS, QUANTUS, QUANTUS_FEW = "distxml", "Quantus", "Quantus, few images per pass"
METHODS: tuple[Method, ...] = ("in_model",)
STEPS, PATCH = 48, 32


class _Scored(nn.Module):
    """f as a model of the images alone, as Quantus wants it; `gate` is that of all images, in their order."""

    def __init__(self, explained: ExplainedModel, images: Tensor) -> None:
        super().__init__()
        self.explained = explained
        self.gate: GateInput = explained.gate(images)

    def forward(self, image: Tensor) -> Tensor:
        return self.explained.logits(image, self.gate)


def compare_with_quantus(subject: Subject, folder: Path, rounds: int) -> dict[str, object]:
    """Figures for f with a heatmap that is made anew, and with one that is kept."""
    results = {f: _compared(subject, folder, f, rounds) for f in ("recompute", "fixed")}
    return {
        "work": subject.name,
        "images": len(subject.rows),
        "torch_threads": torch.get_num_threads(),
        "seconds": results,
    }


def _compared(subject: Subject, folder: Path, f: str, rounds: int) -> dict[str, object]:
    patch = min(PATCH, subject.card.image_size[0] // 4)
    settings = EvaluationSettings.model_validate(
        {"f": f, "methods": METHODS, "patch_sizes": (patch,), "fills": ("black",), "steps": STEPS}
    )
    scorer = scorer_of(subject, folder, settings, subject.rows)
    candidates: dict[str, Measure] = {
        OURS: lambda: seconds(lambda: scorer.score(subject.rows, METHODS)),
        QUANTUS: _by_quantus(scorer.explained, subject, patch, len(subject.rows)),
    }
    if f == "recompute":  # a kept gate is that of all images
        candidates[QUANTUS_FEW] = _by_quantus(scorer.explained, subject, patch, scorer.batch_size)
    measured = take_turns(candidates, rounds, f"{subject.name}, {f}")
    middle = medians(measured)
    return {
        "median": {name: significant(value) for name, value in middle.items()},
        "range": ranges(measured),
        "ours_is_faster_by": {name: round(value / middle[OURS], 3) for name, value in middle.items() if name != OURS},
        "images_a_pass": scorer.batch_size,
    }


def _by_quantus(explained: ExplainedModel, subject: Subject, patch: int, at_once: int) -> Measure:
    metric = quantus.RegionPerturbation(
        patch_size=patch,
        order="morf",
        regions_evaluation=STEPS,
        perturb_baseline="black",
        normalise=False,
        disable_warnings=True,
    )

    @torch.no_grad()
    def curves() -> None:
        batch = collate([decode(row, subject.card.image_size) for row in subject.rows])
        model = _Scored(explained, batch.image).eval()
        metric(
            model=model,
            x_batch=batch.image.numpy(),
            y_batch=model(batch.image).argmax(1).numpy(),
            a_batch=explained.heatmap(batch.image).numpy(),
            device="cpu",
            softmax=True,
            batch_size=at_once,
        )

    return lambda: seconds(curves)
