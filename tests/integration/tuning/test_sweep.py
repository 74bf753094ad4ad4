"""A sweep with real Ray from start to end: shared phases, a failing trial, ASHA, and what is left."""

import time
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from tests.integration.command import distxml_in_process
from tests.integration.ray_cluster import RayCluster
from tests.integration.tuning.conftest import Starter
from tests.integration.tuning.watched_sweep import WatchedSweep
from tests.integration.watched_process import TRAIN_WORKER, WatchedProcess

pytestmark = pytest.mark.slow

GRID = {"parameters": {"loss.beta": {"grid": [0.8, 0.9]}, "phases.joint.lr_classifier": {"grid": [0.01, 1e30]}}}
ASHA = {
    "parameters": {"loss.beta": {"grid": [0.1, 0.9]}},
    "settings": {"phases.joint.epochs": 40, "quick_scores.images": 2},
    "scheduler": {"kind": "asha", "grace": 1, "factor": 4},
    "objective": {"metrics": {"explanation": {"goal": "min"}}},
    "concurrency": 1,
}
"""The explanation loss is nearly β times the heat: a trial with β 0.9 is worse than one with 0.1 at every epoch. One
after the other, as ASHA stops no trial that is ahead of those it would be compared with."""


def weights(run: RunFolder) -> dict[str, torch.Tensor]:
    return load_file(run.checkpoint(PhaseName.JOINT, "last") / "model.safetensors")


def test_a_grid_with_trials_that_lead_nowhere(start: Starter, place: Path, cluster: RayCluster) -> None:
    sweep = start("grid", GRID, cluster=cluster)
    sweep.finish()
    records = sweep.records
    assert [record.status for record in records] == ["finished", "finished", "failed", "failed"]
    assert all("finite" in record.reason for record in records[2:]), "the reason is recorded, the search continues"
    assert sum(record.saved_epochs for record in records) == 3 * 2 + 2 * 2, "one classifier phase, two explainer phases"
    assert f"{4 * 2 + 4 * 2 + 2 * 2 - 10} phase-epochs trained, 10 saved" in sweep.output
    assert "Traceback" not in sweep.output and "Configuration for experiment" not in sweep.output
    assert set(pd.read_csv(sweep.folder.table)["loss.beta"]) == {0.8, 0.9}
    assert sweep.folder.report.exists() and not sweep.folder.ray.exists()
    _best_trains_the_same(sweep, place, cluster)
    again = distxml_in_process("tune", sweep.file, cwd=place)
    assert again.returncode == 2 and "--resume" in again.stderr
    sweep.start("--resume", "phases.joint.epochs=3")
    sweep.finish(status=2)
    assert "with other settings" in sweep.output.splitlines()[-1]


def _best_trains_the_same(sweep: WatchedSweep, place: Path, cluster: RayCluster) -> None:
    """Alone, from the first phase on, with the same weights in the end."""
    (best,) = [record for record in sweep.records if f"# trial {record.number}\n" in sweep.output]
    training = WatchedProcess(place, "best", cluster=cluster)
    training.launch("train", str(sweep.folder.best()))
    training.finish()
    alone, shared = weights(RunFolder(place / "runs/grid-best")), weights(sweep.folder.run(best.number))
    assert all(torch.equal(alone[name], shared[name]) for name in alone)


def test_asha_stops_trials_and_gives_their_workers_back(start: Starter, cluster: RayCluster) -> None:
    sweep = start("asha", ASHA, cluster=cluster)
    workers: set[int] = set()

    def stopped() -> bool:
        workers.update(sweep.descendants(TRAIN_WORKER))
        return "trial 1 stopped (the scheduler" in sweep.output

    sweep.wait_until(stopped)
    since = time.monotonic()
    sweep.wait_until_gone(workers, seconds=60)
    assert len(workers) >= 2, "each trial had a worker of its own"
    print(f"a trial stopped: its worker was gone after {time.monotonic() - since:.1f} s")
    sweep.finish()
    whole, cut = sweep.records
    early = {PhaseName.CLASSIFIER: 2, PhaseName.EXPLAINER: 2}
    assert (whole.status, whole.epochs) == ("finished", early | {PhaseName.JOINT: 40})
    cut_after = cut.epochs[PhaseName.JOINT]
    assert (cut.status, cut.epochs) == ("stopped", early | {PhaseName.JOINT: cut_after}) and 1 <= cut_after < 40


def test_a_trial_that_does_not_fit_is_refused(start: Starter, cluster: RayCluster) -> None:
    sweep = start("large", GRID, "scaling.cpus_per_worker=64", cluster=cluster)
    sweep.finish(status=2)
    assert "they reserve 64 CPUs together, but the cluster has" in sweep.output
    assert not sweep.folder.path.exists(), "the next command, with fewer, begins afresh"


def test_a_dry_run_writes_nothing(place: Path, cluster: RayCluster) -> None:
    sweep = WatchedSweep(place, "dry", ("scaling.workers=2",), cluster, content=GRID)
    sweep.start("--dry-run")
    sweep.finish()
    for line in ("loss.beta: grid 0.8, 0.9", "trials: at most 4", "trial 3: ", "a trial: 2 workers of 1 CPUs"):
        assert line in sweep.output
    assert not (place / "runs/dry").exists()
