"""Runs of one recipe with other seeds and other weights, evaluated on one dataset."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import torch

from distxml.config.evaluation import EvaluationSettings
from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.data.rows import Row
from distxml.evaluation.results import load_results, store
from distxml.evaluation.several_runs.record import SeveralRuns
from distxml.evaluation.summary_rows import OtherGate
from distxml.models.checkpoint import save_model
from tests.small_dataset import write_dataset
from tests.unit.evaluation.small_model import CLASSES, small_model, small_recipe, small_rows
from tests.unit.report.run_on_disk import evaluate, full_log, write_log

IMAGES, PATIENTS, PERTURBED = 24, 12, 16
SETTINGS = EvaluationSettings(
    methods=("in_model", "saliency", "random"),
    orders=("morf", "lerf"),
    patch_sizes=(8, 16),
    fills=("black", "blur"),
    steps=4,
    bootstrap=100,
    curve_images=PERTURBED,
)


def rows() -> list[Row]:
    """Two images of each patient."""
    return [Row(row.key, row.image, row.mask, row.label, f"P{i // 2}") for i, row in enumerate(small_rows(IMAGES))]


def make_runs(folder: Path, count: int = 3, *, evaluated: bool = True) -> list[RunFolder]:
    """`folder/seed-0` and so on, each another training."""
    write_dataset(folder / "dataset", {"test": rows()}, CLASSES)
    runs = [RunFolder(folder / f"seed-{seed}") for seed in range(count)]
    for seed, run in enumerate(runs):
        write_run(run, seed)
        if evaluated:
            evaluate(run, rows())
    return runs


def write_run(run: RunFolder, seed: int) -> None:
    """As training with that seed leaves it."""
    recipe = json.loads(small_recipe(run.path.parent, SETTINGS).model_dump_json())
    recipe["run"] |= {"name": run.path.name, "seed": seed}
    run.checkpoint(PhaseName.JOINT, "last").mkdir(parents=True)
    write_weights(run, seed)
    run.config.write_text(json.dumps(recipe))
    run.finished.write_text("{}")
    write_log(run, full_log())


def write_weights(run: RunFolder, seed: int) -> None:
    """One fitted model, every weight of it changed by about a tenth."""
    fitted, generator = small_model(), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in fitted.model.parameters():
            weight.mul_(1 + 0.1 * torch.randn(weight.shape, generator=generator))
    save_model(run.checkpoint(PhaseName.JOINT, "last"), fitted.model, fitted.card)


def note_other_gate(runs: Sequence[RunFolder], differences: Sequence[float]) -> None:
    """As an evaluation notes the primary comparison under the other gate, here with made-up differences."""
    for run, difference in zip(runs, differences, strict=True):
        results = load_results(run.evaluation)
        summary = results.summary
        assert summary.primary is not None
        under = OtherGate(f="fixed", comparison=summary.primary.model_copy(update={"difference": difference}))
        noted = summary.model_copy(update={"primary_under_other_gate": under})
        store(dataclasses.replace(results, summary=noted), run.evaluation)


def with_one_fill(several: SeveralRuns) -> SeveralRuns:
    """What the same runs give where only the first fill was measured: there the mean over all fills is that of it."""
    fill = SETTINGS.fills[0]
    at_fill = [row for row in several.aopc_overall if row.fill == fill]
    compared = [row for row in several.comparisons if row.fill == fill]
    over_all = [row.model_copy(update={"fill": None}) for row in compared if row.patch_size is None]
    return several.model_copy(
        update={
            "settings": several.settings.model_copy(update={"fills": (fill,)}),
            "aopc": tuple(row for row in several.aopc if row.fill == fill),
            "aopc_overall": (*at_fill, *(row.model_copy(update={"fill": None}) for row in at_fill)),
            "comparisons": (*compared, *over_all),
        }
    )
