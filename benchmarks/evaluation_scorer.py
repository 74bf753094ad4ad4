"""`evaluation.py scorer`: seconds of scoring beside those of the bare forward passes that it needs.

`scoring` is `ImageScorer.score` in this process: it decodes the image, makes heatmaps, orders patches, fills and
perturbs, scores, and makes the rows; only Ray and the writing of Parquet are absent. `heatmaps` is the clean pass and
the making of the heatmaps alone, as `scoring` does it. `bare passes` puts as many images through the model, in
batches as large, and does nothing else; its input is in the memory layout that suits the model best.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from evaluation_material import Subject, points_of, scorer_of
from train_rounds import Measure, medians, ranges, significant, take_turns

from distxml.attribution.methods import METHODS
from distxml.config.evaluation import EvaluationSettings, Method
from distxml.data.rows import Row
from distxml.evaluation.scoring.scorer import ImageScorer

SCORING, HEATMAPS, BARE = "scoring", "heatmaps", "bare passes"
FEW: tuple[Method, ...] = ("in_model", "random")
FEW_METHODS = EvaluationSettings(
    methods=FEW, orders=("morf", "lerf"), patch_sizes=(16, 32), fills=("black", "blur"), steps=16
)
ALL_METHODS = EvaluationSettings(methods=METHODS.names(), patch_sizes=(32,), fills=("black", "blur"), steps=8)
WORKS = {
    "in_model and random": FEW_METHODS,
    "in_model and random, heatmap kept": FEW_METHODS.model_copy(update={"f": "fixed"}),
    "all methods": ALL_METHODS,
}


def compare_with_bare_passes(subject: Subject, folder: Path, rounds: int) -> dict[str, object]:
    """Figures for each work."""
    works = {name: _compared(subject, folder, name, settings, rounds) for name, settings in WORKS.items()}
    return {
        "work": subject.name,
        "images": len(subject.rows),
        "torch_threads": torch.get_num_threads(),
        "seconds": works,
    }


def _compared(
    subject: Subject, folder: Path, name: str, settings: EvaluationSettings, rounds: int
) -> dict[str, object]:
    scorer, rows, methods = scorer_of(subject, folder, settings, subject.rows), subject.rows, settings.methods
    batches = points_of(scorer, rows, methods)
    candidates: dict[str, Measure] = {
        SCORING: lambda: seconds(lambda: scorer.score(rows, methods)),
        HEATMAPS: lambda: seconds(lambda: _heatmaps(scorer, rows, methods)),
        BARE: bare_passes(scorer, batches),
    }
    measured = take_turns(candidates, rounds, f"{subject.name}, {name}")
    middle = medians(measured)
    return {
        "f": settings.f,
        "methods": len(methods),
        "passes": sum(batches),
        "median": {name: significant(value) for name, value in middle.items()},
        "range": ranges(measured),
        "to_bare_passes": {
            "without heatmaps": round((middle[SCORING] - middle[HEATMAPS]) / middle[BARE], 3),
            "with heatmaps": round(middle[SCORING] / middle[BARE], 3),
        },
    }


def _heatmaps(scorer: ImageScorer, rows: Sequence[Row], methods: Sequence[Method]) -> None:
    for row in rows:
        image = scorer.clean_pass.score(row)
        for method in methods:
            scorer._heatmap(method, image)


def bare_passes(scorer: ImageScorer, batches: Sequence[int]) -> Measure:
    """Seconds of these forward passes, each of so many images."""
    images = torch.rand(max(batches), 3, *scorer.image_size).to(memory_format=torch.channels_last)
    gate = scorer.explained.gate(images)

    @torch.inference_mode()
    def forward() -> None:
        for size in batches:
            kept = gate[:size] if isinstance(gate, torch.Tensor) else gate
            scorer.explained.logits(images[:size], kept)

    return lambda: seconds(forward)


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
