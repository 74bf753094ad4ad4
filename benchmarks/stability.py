"""Does every seed come to a good joint model, also with an explainer that learns too fast or too slowly?

    python benchmarks/stability.py polygons --data data/polygons    # 15 runs, about an hour on two cores
    python benchmarks/stability.py polygons --data data/polygons --factors 8 --override guard.black_share=null

Each run is `distxml train RECIPE` and `distxml evaluate`, with one worker; `--at-once` of them run side by side. The
explainer's rates in the explainer and joint phases are multiplied by each factor. Runs that are complete are not made
again.
Prints a line per run and, last, JSON; what a run must reach: accuracy 0.95, heat inside the masks 3 times that outside,
AOPC above that of a random order.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

from distxml.config import Recipe, load_settings
from distxml.config.run_folder import RunFolder
from distxml.evaluation.results import Summary, load_summary
from distxml.monitoring.metrics_log import read_metrics

ACCURACY, HEAT_RATIO = 0.95, 3.0


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    Attributes:
        factor: of the explainer's learning rates.
        epochs: of each phase.
        endings: why each phase ended.
        guard: what the collapse guard did, if anything.
        failure: what `distxml` said in place of finishing.
    """

    seed: int
    factor: float
    accuracy: float = float("nan")
    heat_inside: float = float("nan")
    heat_outside: float = float("nan")
    pompom: float = float("nan")
    aopc: float = float("nan")
    aopc_random: float = float("nan")
    epochs: tuple[int, ...] = ()
    endings: tuple[str, ...] = ()
    guard: tuple[str, ...] = ()
    failure: str | None = None

    @property
    def passes(self) -> bool:
        """Whether it reached what it must."""
        shows = self.heat_inside >= HEAT_RATIO * self.heat_outside and self.aopc > self.aopc_random
        return self.failure is None and self.accuracy >= ACCURACY and shows


def main() -> None:
    """Run all, print."""
    arguments = _parser().parse_args()
    jobs = [Job(arguments, factor, seed) for factor, seed in product(arguments.factors, arguments.seeds)]
    with ThreadPoolExecutor(arguments.at_once) as pool:
        outcomes = list(pool.map(Job.make, jobs))
    rows = [asdict(outcome) | {"passes": outcome.passes} for outcome in outcomes]
    print(json.dumps({"passed": sum(outcome.passes for outcome in outcomes), "of": len(rows), "runs": rows}, indent=2))


@dataclass(frozen=True)
class Job:
    """One run: `distxml train` and `distxml evaluate`."""

    arguments: argparse.Namespace
    factor: float
    seed: int

    @property
    def run(self) -> RunFolder:
        """Where it lives."""
        return RunFolder(self.arguments.runs / f"{Path(self.arguments.recipe).stem} seed {self.seed} x{self.factor:g}")

    def make(self) -> Outcome:
        """Train, evaluate, and say on standard error what came of it."""
        self.run.path.parent.mkdir(parents=True, exist_ok=True)
        outcome = self._outcome(self._train() or self._evaluate())
        heat = f"heat {outcome.heat_inside:.3f} in, {outcome.heat_outside:.3f} out"
        told = outcome.failure or f"accuracy {outcome.accuracy:.3f}, {heat}, guard {len(outcome.guard)} times"
        print(f"{'passes' if outcome.passes else 'FAILS'}: {self.run.path.name}: {told}", file=sys.stderr, flush=True)
        return outcome

    def _train(self) -> str | None:
        recipe, places = self.arguments.recipe, self.arguments
        overrides = [f"dataset.path={places.data.resolve()}", f"run.folder={places.runs.resolve()}"]
        overrides += [f"run.name={self.run.path.name}", f"run.seed={self.seed}", "scaling.workers=1"]
        overrides += places.override
        faster = rates(load_settings(Recipe, recipe, overrides), self.factor)
        return self._distxml("train", recipe, *overrides, *faster)

    def _evaluate(self) -> str | None:
        curves = ["evaluation.methods=[in_model, random]", f"evaluation.curve_images={self.arguments.curve_images}"]
        return self._distxml("evaluate", str(self.run.path), *curves)

    def _outcome(self, failure: str | None) -> Outcome:
        log = list(read_metrics(self.run.metrics)) if self.run.metrics.exists() else []
        ends = [event for event in log if event["event"] == "phase_end"]
        return Outcome(
            self.seed,
            self.factor,
            epochs=tuple(event["epochs"] for event in ends),
            endings=tuple(event["reason"] for event in ends),
            guard=tuple(f"{event['reason']}: {event['action']}" for event in log if event["event"] == "guard"),
            failure=failure,
            **({} if failure else _figures(load_summary(self.run.evaluation))),
        )

    def _distxml(self, *words: str) -> str | None:
        """Run a command with a Ray of its own; its last line if it fails."""
        command = [sys.executable, "-c", "from distxml.cli.main import run; run()", *words]
        alone = os.environ | {"RAY_ADDRESS": "local"}
        log = self.run.path.with_name(f"{self.run.path.name}.log")
        with log.open("a") as output:
            done = subprocess.run(command, stdout=output, stderr=output, env=alone, check=False)
        return None if done.returncode == 0 else log.read_text().strip().splitlines()[-1]


def rates(recipe: Recipe, factor: float) -> Iterator[str]:
    """Overrides that multiply the explainer's learning rates."""
    for name, phase in recipe.phases.items():
        if phase.lr_explainer > 0:
            yield f"phases.{name}.lr_explainer={phase.lr_explainer * factor:g}"


def _figures(summary: Summary) -> dict[str, float]:
    metrics = {metric.name: float("nan") if metric.value is None else metric.value for metric in summary.metrics}
    aopc = {overall.method: overall.aopc for overall in summary.aopc_overall if overall.order == "morf"}
    names = ("accuracy", "heat_inside", "heat_outside", "pompom")
    return {name: metrics[name] for name in names} | {"aopc": aopc["in_model"], "aopc_random": aopc["random"]}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", help="packaged recipe or YAML file")
    parser.add_argument("--data", type=Path, required=True, help="folder of the built dataset")
    parser.add_argument("--runs", type=Path, default=Path("runs/stability"), help="folder of the runs")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--factors", type=float, nargs="+", default=[1.0, 2.0, 0.5])
    parser.add_argument("--at-once", type=int, default=2, help="runs side by side; each keeps about one core busy")
    parser.add_argument("--curve-images", type=int, default=60, help="images that are perturbed for AOPC")
    parser.add_argument("--override", nargs="*", default=[], help="more settings, A.B=C")
    return parser


if __name__ == "__main__":
    main()
