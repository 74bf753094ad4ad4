"""Do intervals over several runs hold the truth as often as they say, for a new run and new patients together?

    python benchmarks/coverage_runs.py means         # a minute and a half
    python benchmarks/coverage_runs.py accuracies    # half a minute
    python benchmarks/coverage_runs.py primary       # two minutes
    python benchmarks/coverage_runs.py failures      # a quarter of a minute

Made-up runs over made-up patients, whose truth is known, go through the evaluation's own statistics, and through two
others: one t with Satterthwaite's degrees of freedom, and a percentile bootstrap of runs and patients. Patients have
from 1 to some 15 images each. Prints a line per case and, last, JSON. What is aimed at: intervals of 95% hold the truth
in 93 of 100 cases at least, and the primary comparison is called clear in at most 6 of 100 without any difference.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student
from simulated import Result, Studies, run_study

from distxml.config.evaluation import EvaluationSettings
from distxml.evaluation.statistics.crossed import CrossedEstimates, crossed
from distxml.evaluation.statistics.group_sums import GroupSums
from distxml.evaluation.statistics.groups import Groups
from distxml.evaluation.statistics.over_runs import primary_p_value, shares_over_runs
from distxml.evaluation.statistics.resamples import Resamples

Values = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Values]
AT_ONCE = 20
"""Made-up studies whose patients have the same numbers of images."""
OF_RUNS = (0.0, 0.1, 0.3, 1.0)
"""Standard deviations between runs; that between patients is 1."""
OWN = (0.3, 2.0)
"""Standard deviations of what a run makes of a patient differently."""
DRAWS = 400
"""Of the bootstrap that is compared; the tests have as many as an evaluation by default."""


def normal(generator: np.random.Generator, shape: tuple[int, ...]) -> Values:
    """Symmetric."""
    return generator.normal(size=shape)


def skewed(generator: np.random.Generator, shape: tuple[int, ...]) -> Values:
    """Exponential, shifted to a mean of 0."""
    return generator.exponential(size=shape) - 1


def one_in_ten(generator: np.random.Generator, shape: tuple[int, ...]) -> Values:
    """As of trainings one of ten of which fails: 3 or -1/3, a mean of 0 and a standard deviation of 1."""
    return np.where(generator.random(shape) < 0.1, 3.0, -1 / 3)


KINDS: Mapping[str, Draw] = {"normal": normal, "skewed": skewed}


def patients(generator: np.random.Generator, number: int) -> Groups:
    """With unequal numbers of images."""
    sizes = np.maximum(1, np.round(np.exp(generator.normal(1, 0.7, number)))).astype(np.int64)
    return Groups(np.repeat(np.arange(number), sizes), named=True)


def scores(
    generator: np.random.Generator,
    draw: Draw,
    groups: Groups,
    *,
    runs: int,
    of_runs: float,
    own: float,
    draw_run: Draw = normal,
) -> Values:
    """R×n×`AT_ONCE` values around 0: of the run, the patient, both, the image, and both of these."""
    of_patient = draw(generator, (1, groups.count, AT_ONCE))
    of_both = own * generator.normal(size=(runs, groups.count, AT_ONCE))
    of_image = 0.5 * draw(generator, (1, groups.images, AT_ONCE))
    rest = 0.5 * generator.normal(size=(runs, groups.images, AT_ONCE))
    run = of_runs * draw_run(generator, (runs, 1, AT_ONCE))
    return run + (of_patient + of_both)[:, groups.number] + of_image + rest


def means(studies: int) -> Iterator[Result]:
    """Coverage of the interval of a mean over runs, and the level of its test, beside the two others."""
    for (kind, draw), number, runs, of_runs, own in product(KINDS.items(), (12, 60), (2, 3, 5, 10), OF_RUNS, OWN):
        generator = np.random.default_rng(0)
        tally = _Tally()
        for _ in range(max(1, studies // AT_ONCE)):
            groups = patients(generator, number)
            values = scores(generator, draw, groups, runs=runs, of_runs=of_runs, own=own)
            sums = [GroupSums.of_means(run, groups) for run in values]
            found = crossed(sums)
            tally.add("ours", found.low, found.high)
            tally.add("satterthwaite", *satterthwaite(sums))
            tally.add("bootstrap", *pigeonhole(generator, sums))
            tally.note("called_clear", (found.p < 0.05)[~np.isnan(found.p)])
        place = {"values": kind, "patients": number, "runs": runs, "between_runs": of_runs, "own": own}
        yield {"what": "mean"} | place | tally.shares()


def accuracies(studies: int) -> Iterator[Result]:
    """Coverage of the interval of an accuracy over runs."""
    for share, number, runs, of_runs in product((0.7, 0.95), (12, 60), (3, 5, 10), OF_RUNS[:3]):
        generator = np.random.default_rng(0)
        tally = _Tally()
        for _ in range(max(1, studies // AT_ONCE)):
            groups = patients(generator, number)
            values = scores(generator, normal, groups, runs=runs, of_runs=of_runs, own=OWN[0])
            spread = np.sqrt(1 + OWN[0] ** 2 + 0.5 + of_runs**2)
            right = (values < norm.ppf(share) * spread).astype(np.float64)
            low, high = shares_over_runs(right, groups, _crossed(right, groups))
            tally.add("ours", low - share, high - share)
        place = {"accuracy": share, "patients": number, "runs": runs, "between_runs": of_runs}
        yield {"what": "accuracy"} | place | tally.shares()


def primary(studies: int) -> Iterator[Result]:
    """How often the primary comparison is called clear without any difference."""
    for (kind, draw), number, runs, of_runs in product(KINDS.items(), (12, 60), (3, 5, 10), (0.0, 0.3, 1.0)):
        generator = np.random.default_rng(0)
        tally = _Tally()
        for study in range(max(1, studies // AT_ONCE)):
            groups = patients(generator, number)
            values = scores(generator, draw, groups, runs=runs, of_runs=of_runs, own=OWN[0])
            resamples = Resamples(groups, EvaluationSettings().bootstrap, study)
            pairs = zip(_crossed(values, groups).p, values.mean(0).T, strict=True)
            p = np.array([primary_p_value(own, mean_run, resamples) for own, mean_run in pairs])
            tally.note("called_clear", p < 0.05)
            tally.note("tested", ~np.isnan(p))
        place = {"values": kind, "patients": number, "runs": runs, "between_runs": of_runs}
        yield {"what": "primary"} | place | tally.shares()


def failures(studies: int) -> Iterator[Result]:
    """As `means`, of 60 patients, where what differs between runs is skewed."""
    kinds: dict[str, Draw] = {**KINDS, "one_in_ten": one_in_ten}
    for (kind, draw), runs, of_runs in product(kinds.items(), (3, 5, 10), (0.1, 0.3, 1.0)):
        generator = np.random.default_rng(0)
        tally = _Tally()
        for _ in range(max(1, studies // AT_ONCE)):
            groups = patients(generator, 60)
            values = scores(generator, normal, groups, runs=runs, of_runs=of_runs, own=OWN[0], draw_run=draw)
            found = _crossed(values, groups)
            tally.add("ours", found.low, found.high)
            tally.note("called_clear", found.p < 0.05)
        yield {"what": "failures", "between": kind, "runs": runs, "between_runs": of_runs} | tally.shares()


def _crossed(values: Values, groups: Groups) -> CrossedEstimates:
    return crossed([GroupSums.of_means(run, groups) for run in values])


class _Tally:
    """How often what was the case."""

    def __init__(self) -> None:
        self.found: dict[str, list[Values]] = {}

    def add(self, name: str, low: Values, high: Values) -> None:
        """Intervals of what is 0."""
        known = ~np.isnan(low)
        self.note(f"{name}_holds", ((low <= 0) & (high >= 0))[known])
        self.note(f"{name}_width", (high - low)[known])
        self.note(f"{name}_known", known)

    def note(self, name: str, values: NDArray[Any]) -> None:
        """Numbers, or whether."""
        self.found.setdefault(name, []).append(values.astype(np.float64))

    def shares(self) -> dict[str, float]:
        """Means, without those of nothing and what is always known."""
        joined = {name: np.concatenate(parts) for name, parts in self.found.items()}
        shares = {name: float(values.mean()) for name, values in joined.items() if len(values)}
        return {name: value for name, value in shares.items() if not (name.endswith("_known") and value == 1)}


def satterthwaite(runs: list[GroupSums]) -> tuple[Values, Values]:
    """One t for the sum of the variances, whose degrees of freedom are Satterthwaite's (1946)."""
    number = len(runs)
    of_runs = np.stack([run.estimate for run in runs])
    share = runs[0].share
    residual = np.stack([run.residual / run.total for run in runs])
    by_runs = of_runs.var(0, ddof=1) / number
    by_groups = (residual.mean(0) ** 2 / (1 - share)).sum(0)
    own = residual - residual.mean(0)
    in_both = (own**2 / (1 - share)).sum((0, 1)) / (number * (number - 1))
    variance = np.maximum(by_runs + by_groups - in_both, np.maximum(by_runs, by_groups))
    degrees = runs[0].effective - 1
    parts = by_runs**2 / (number - 1) + by_groups**2 / degrees + in_both**2 / ((number - 1) * degrees)
    half = student.isf(0.025, np.maximum(1, variance**2 / parts)) * np.sqrt(variance)
    return of_runs.mean(0) - half, of_runs.mean(0) + half


def pigeonhole(generator: np.random.Generator, runs: list[GroupSums]) -> tuple[Values, Values]:
    """Percentiles of means of runs and groups, both drawn with replacement (Owen 2007)."""
    number, groups = len(runs), len(runs[0].residual)
    drawn_runs = generator.multinomial(number, np.full(number, 1 / number), DRAWS) / number
    drawn_groups = generator.multinomial(groups, np.full(groups, 1 / groups), DRAWS)
    sizes = runs[0].denominator
    numerators = np.stack([run.residual + run.estimate * sizes for run in runs])  # R×G×K
    mixed = np.einsum("br,rgk->bgk", drawn_runs, numerators)
    found = np.einsum("bg,bgk->bk", drawn_groups, mixed) / (drawn_groups @ sizes)
    low, high = np.percentile(found, (2.5, 97.5), axis=0)
    return low, high


STUDIES: Studies = {
    "means": (means, 1000),
    "accuracies": (accuracies, 1000),
    "primary": (primary, 2000),
    "failures": (failures, 1000),
}
"""What is simulated, and in how many made-up studies a case."""


if __name__ == "__main__":
    run_study(__doc__, STUDIES, "--studies")
