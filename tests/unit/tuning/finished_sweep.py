"""A sweep of twelve trials that has ended, on disk."""

from distxml.config import Recipe
from distxml.config.phases import PhaseName
from distxml.config.sweep import SweepSettings
from distxml.tuning.objective import Objective
from distxml.tuning.records import SweepFolder, TrialRecord
from distxml.tuning.results import write_results

PARAMETERS = {
    "loss.kind": {"choice": ["unsupervised", "hybrid"]},
    "loss.gamma": {"loguniform": [0.01, 10], "when": {"loss.kind": "hybrid"}},
    "phases.joint.alpha": {"uniform": [0.2, 0.9]},
    "optimizer.clip_norm": {"choice": [None, 1.0]},
}
PARETO = {"combine": "pareto", "metrics": {"accuracy": {"goal": "max"}, "pompom": {"goal": "min"}}}


def records() -> list[TrialRecord]:
    """Twelve trials of all kinds."""
    made = []
    for number in range(12):
        settings = {"loss.kind": "hybrid" if number % 2 else "unsupervised", "phases.joint.alpha": 0.3 + number / 20}
        settings |= {"optimizer.clip_norm": None if number % 3 else 1.0}
        settings |= {"loss.gamma": 0.1 * (number + 1)} if number % 2 else {}
        accuracy = 1 - abs(number - 7) / 10
        record = TrialRecord(
            number=number,
            settings=settings,
            status="finished",
            epochs=dict(zip(PhaseName, (2, 2, 4), strict=True)),
            seconds=3.5,
        )
        record.metrics = {"accuracy": accuracy, "pompom": accuracy / 2 + (number > 7) / 3, "sparsity": 0.3}
        record.score = accuracy
        made.append(record)
    made[10] = made[10].model_copy(update={"status": "stopped", "reason": "others were better"})
    failed = {"status": "failed", "metrics": {}, "score": None, "reason": "phase 2, explainer: <b>black</b>\nheatmap"}
    made[11] = made[11].model_copy(update=failed)
    made[1].saved_epochs, made[1].taken_from = (
        4,
        {PhaseName.CLASSIFIER: "/runs/0000", PhaseName.EXPLAINER: "/runs/0000"},
    )
    return made


def write_sweep(folder: SweepFolder, base: Recipe, sweep: SweepSettings) -> list[TrialRecord]:
    folder.path.mkdir(parents=True)
    folder.config.write_text(sweep.model_dump_json(exclude_unset=True))
    folder.base.write_text(base.model_dump_json())
    made = records()
    for record in made:
        folder.save(record)
    write_results(folder, base, made, Objective(sweep.objective))
    return made
