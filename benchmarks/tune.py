"""Sweeps: what shared phases save, whether all cores are busy, what the scores along the way cost, the laptop's sweep.

    python benchmarks/tune.py reuse --data data/polygons      # the same grid with and without shared phases
    python benchmarks/tune.py cores --data data/polygons      # two trials of one worker, one trial of two workers
    python benchmarks/tune.py laptop --data data/polygons     # tune/polygons.yaml to the end, beside the demo's default

Each sweep is the command `distxml tune`, with a Ray of its own. Prints JSON. Nothing else may run beside `cores`; the
ratio of `reuse` is of times that are measured in the same way and suffer alike.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors.torch import load_file

from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.monitoring.metrics_log import read_metrics
from distxml.tuning.objective import Objective
from distxml.tuning.records import SweepFolder, TrialRecord

GRID: dict[str, Any] = {
    "recipe": "polygons",
    "search": {"kind": "grid"},
    "objective": {"metrics": {"accuracy": {"goal": "max"}, "flips_above_random": {"goal": "max"}}},
    "parameters": {"loss.beta": {"grid": [0.8, 0.9]}, "phases.joint.alpha": {"grid": [0.35, 0.4, 0.5]}},
}
FIXED_EPOCHS = {
    "phases.classifier.epochs": 3,
    "phases.classifier.until": None,
    "phases.explainer.epochs": 3,
    "phases.explainer.until": None,
}
SECONDS_BETWEEN_LOOKS = 0.5


@dataclass(frozen=True)
class Bench:
    """Where sweeps run, on which data."""

    data: Path
    folder: Path

    def sweep(self, name: str, content: dict[str, Any], *words: str, watch: Callable[[], None] | None = None) -> float:
        """Run `distxml tune`; its wall-clock seconds. `watch` is called while it runs."""
        file = self.folder / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        places = {"name": name, "folder": str(self.folder)}
        file.write_text(yaml.safe_dump(content | places, sort_keys=False))
        return self.distxml("tune", str(file), f"dataset.path={self.data.resolve()}", *words, name=name, watch=watch)

    def distxml(self, *words: str, name: str, watch: Callable[[], None] | None = None) -> float:
        """Run a command; its wall-clock seconds."""
        command = [sys.executable, "-c", "from distxml.cli.main import run; run()", *words]
        began = time.monotonic()
        with (self.folder / f"{name}.log").open("w") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"RAY_ADDRESS": "local"})
            while process.poll() is None:
                time.sleep(SECONDS_BETWEEN_LOOKS)
                if watch:
                    watch()
        if process.returncode != 0:
            raise SystemExit((self.folder / f"{name}.log").read_text())
        return time.monotonic() - began

    def records(self, name: str) -> list[TrialRecord]:
        """The trials of a sweep."""
        return SweepFolder(self.folder / name).load()


def reuse(bench: Bench, epochs: int) -> dict[str, Any]:
    """The same grid, with shared phases and without."""
    settings = FIXED_EPOCHS | {"phases.joint.epochs": epochs, "scaling.workers": 1, "run.gallery": 0}
    walls = {}
    for name, share in (("with", True), ("without", False)):
        content = GRID | {"settings": settings, "share_phases": share, "store": str(bench.folder / "phases")}
        walls[name] = bench.sweep(name, content)
    ours, theirs = bench.records("with"), bench.records("without")
    trained = {"with": sum(each.seconds for each in ours), "without": sum(each.seconds for each in theirs)}
    all_epochs = sum(record.all_epochs for record in ours)
    saved = sum(record.saved_epochs for record in ours)
    return {
        "trials": len(ours),
        "phase_epochs": all_epochs,
        "saved": saved,
        "share_of_epochs_saved": round(saved / all_epochs, 3),
        "training_seconds": {name: round(seconds, 1) for name, seconds in trained.items()},
        "training_time_ratio": round(trained["with"] / trained["without"], 3),
        "wall_seconds": {name: round(seconds, 1) for name, seconds in walls.items()},
        "equal_metrics": all(one.metrics == other.metrics for one, other in zip(ours, theirs, strict=True)),
        "equal_weights": all(_same_weights(bench.folder, record.number) for record in ours),
    }


def _same_weights(folder: Path, number: int) -> bool:
    one, other = (
        load_file(SweepFolder(folder / name).run(number).checkpoint(PhaseName.JOINT, "last") / "model.safetensors")
        for name in ("with", "without")
    )
    return all(torch.equal(one[name], other[name]) for name in one)


def cores(bench: Bench, epochs: int) -> dict[str, Any]:
    """How busy the cores are: two trials of one worker each; one trial of two workers."""
    settings = FIXED_EPOCHS | {"phases.joint.epochs": epochs, "run.gallery": 0}
    alphas = {"phases.joint.alpha": {"grid": [0.3, 0.4, 0.5, 0.6]}}
    found = {}
    for name, workers, concurrency in (("two trials of one worker", 1, None), ("one trial of two workers", 2, 1)):
        content = GRID | {"settings": settings | {"scaling.workers": workers}, "parameters": alphas}
        content |= {"share_phases": False, "concurrency": concurrency}
        busy = _Busy()
        wall = bench.sweep(name.replace(" ", "-"), content, watch=busy.look)
        records = bench.records(name.replace(" ", "-"))
        found[name] = {
            "finished": sum(record.status == "finished" for record in records),
            "wall_seconds": round(wall, 1),
            "busy_share_of_all_cores": {
                "whole sweep": round(statistics.mean(busy.shares), 3),
                "middle half": round(statistics.mean(busy.shares[len(busy.shares) // 4 : -len(busy.shares) // 4]), 3),
            },
            "images_per_second_in_joint_phase": [round(_speed(bench.folder, name, record), 1) for record in records],
        }
    return {"cores": os.cpu_count()} | found


class _Busy:
    """Share of the machine's cores that computed since the last look, from /proc/stat."""

    def __init__(self) -> None:
        self.shares: list[float] = []
        self._last = self._times()

    def look(self) -> None:
        now = self._times()
        idle, total = (after - before for after, before in zip(now, self._last, strict=True))
        self._last = now
        self.shares.append(1 - idle / total if total else 0.0)

    def _times(self) -> tuple[int, int]:
        numbers = [int(number) for number in Path("/proc/stat").read_text().split("\n")[0].split()[1:]]
        return numbers[3] + numbers[4], sum(numbers[:8])


def _speed(folder: Path, name: str, record: TrialRecord) -> float:
    run = SweepFolder(folder / name.replace(" ", "-")).run(record.number)
    epochs = [
        event for event in read_metrics(run.metrics) if event["event"] == "epoch" and event["phase"] == PhaseName.JOINT
    ]
    return statistics.median(event["pace"]["images_per_second"] for event in epochs)


def laptop(bench: Bench, trials: int | None) -> dict[str, Any]:
    """tune/polygons.yaml to the end, and the demo's default by the same measure."""
    content = yaml.safe_load((Path(__file__).parents[1] / "tune/polygons.yaml").read_text())
    words = [] if trials is None else [f"budget.trials={trials}"]
    wall = bench.sweep("laptop", content | {"store": str(bench.folder / "phases")}, *words)
    default = ("train", "polygons", f"dataset.path={bench.data.resolve()}", f"run.folder={bench.folder}")
    bench.distxml(*default, "scaling.workers=1", "run.name=default", name="default")
    folder = SweepFolder(bench.folder / "laptop")
    objective, records = Objective(folder.sweep().objective), bench.records("laptop")
    best = max((record for record in records if record.status == "finished"), key=lambda record: record.score or -9.0)
    metrics = _last(RunFolder(bench.folder / "default"))
    value = objective.score(metrics)
    assert value is not None
    names = objective.settings.names
    return {
        "minutes": round(wall / 60, 1),
        "trials": Counter(record.status for record in records),
        "phase_epochs": sum(record.all_epochs for record in records),
        "saved": sum(record.saved_epochs for record in records),
        "scoring_share_of_epoch": round(scoring_share(folder, records), 4),
        "default": {"score": round(value.score, 4)} | {name: round(metrics[name], 4) for name in names},
        "best": {"trial": best.number, "score": round(best.score or 0, 4), "settings": best.settings}
        | {name: round(best.metrics[name], 4) for name in names},
    }


def scoring_share(folder: SweepFolder, records: list[TrialRecord]) -> float:
    """Share of the time of the joint phase's epochs that went into scores of explanations."""
    logs = [read_metrics(folder.run(record.number).metrics) for record in records if record.metrics]
    of_joint_phase = [
        event for log in logs for event in log if event["event"] == "epoch" and event["phase"] == PhaseName.JOINT
    ]
    epochs = [event for event in of_joint_phase if "scoring_seconds" in event["pace"]]
    return sum(event["pace"]["scoring_seconds"] for event in epochs) / sum(event["seconds"] for event in epochs)


def _last(run: RunFolder) -> dict[str, float]:
    return [event for event in read_metrics(run.metrics) if event["event"] == "epoch"][-1]["val"]


def main() -> None:
    """Measure, print."""
    arguments = _parser().parse_args()
    bench = Bench(arguments.data, arguments.runs.resolve())
    bench.folder.mkdir(parents=True, exist_ok=True)
    if arguments.what == "reuse":
        found = reuse(bench, arguments.epochs)
    elif arguments.what == "cores":
        found = cores(bench, arguments.epochs)
    else:
        found = laptop(bench, arguments.trials)
    print(json.dumps(found, indent=2))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["reuse", "cores", "laptop"])
    parser.add_argument("--data", type=Path, required=True, help="folder of the built dataset")
    parser.add_argument("--runs", type=Path, default=Path("runs/tune"), help="a new folder for the sweeps")
    parser.add_argument("--epochs", type=int, default=8, help="of the joint phase, in reuse and cores")
    parser.add_argument("--trials", type=int, help="of the laptop's sweep, if not its own number")
    return parser


if __name__ == "__main__":
    main()
