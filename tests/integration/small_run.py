"""A finished run of a small untrained model, and a dataset of a few shards, written as training would leave them."""

from pathlib import Path

from distxml.config.evaluation import EvaluationSettings
from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.models.checkpoint import save_model
from tests.small_dataset import write_dataset
from tests.unit.evaluation.small_model import CLASSES, PHASE1_SEED, small_model, small_recipe, small_rows


def write_run(folder: Path, settings: EvaluationSettings, images: int) -> RunFolder:
    """`folder/dataset` and `folder/run`."""
    write_dataset(folder / "dataset", {"test": small_rows(images)}, CLASSES, rows_per_shard=9)
    run = RunFolder(folder / "run")
    classifier, joint = small_model(PHASE1_SEED), small_model()
    white = classifier.card.model_copy(update={"gating": "white"})
    for phase, model, card in (
        (PhaseName.CLASSIFIER, classifier.model, white),
        (PhaseName.JOINT, joint.model, joint.card),
    ):
        run.checkpoint(phase, "last").mkdir(parents=True)
        save_model(run.checkpoint(phase, "last"), model, card)
    run.config.write_text(small_recipe(folder, settings).model_dump_json())
    run.finished.write_text("{}")
    return run
