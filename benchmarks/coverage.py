"""Do intervals hold the truth as often as they say, and how often is a difference called clear where there is none?

    python benchmarks/coverage.py intervals     # half a minute
    python benchmarks/coverage.py patients      # half a minute
    python benchmarks/coverage.py primary       # 3 minutes
    python benchmarks/coverage.py family        # 15 minutes
    python benchmarks/coverage.py seconds       # half a minute

Made-up values whose truth is known go through the evaluation's own statistics, with as many resamples as its settings
have by default. Prints a line per case and, last, JSON. What is aimed at: intervals of 95% hold the truth in 93 to 97
of 100 cases (those of patients in 90 at least); the primary comparison and the whole family of the others are called
clear in at most 6 of 100 evaluations without any difference.
"""

import time
from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student
from simulated import Result, Studies, run_study

from distxml.attribution.methods import METHODS as ALL_METHODS
from distxml.config.evaluation import EvaluationSettings
from distxml.evaluation.statistics.aopc_summary import comparisons
from distxml.evaluation.statistics.family import outcomes_of
from distxml.evaluation.statistics.group_sums import GroupSums
from distxml.evaluation.statistics.groups import Groups
from distxml.evaluation.statistics.image_aopc import ImageAopc
from distxml.evaluation.statistics.intervals import means
from distxml.evaluation.statistics.paired import PairedDifference, Place, differences_of_methods
from distxml.evaluation.statistics.proportions import share_interval
from distxml.evaluation.statistics.resamples import Resamples
from distxml.evaluation.statistics.studentized import studentized

Values = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Values]
DRAWS = EvaluationSettings().bootstrap
IMAGES = (6, 12, 20, 60, 300)
SETTINGS, METHODS = 20, 12
CORRELATION = 0.7
"""Between settings and between methods: they are over the same images."""
PATIENTS, IMAGES_EACH, ALIKE = 20, 5, 0.8
"""20 patients of 5 images each, whose values correlate by 0.8 within a patient."""


def normal(generator: np.random.Generator, shape: tuple[int, ...]) -> Values:
    """Symmetric."""
    return generator.normal(size=shape)


def skewed(generator: np.random.Generator, shape: tuple[int, ...]) -> Values:
    """Exponential, shifted to a mean of 0."""
    return generator.exponential(size=shape) - 1


def tied(generator: np.random.Generator, shape: tuple[int, ...]) -> Values:
    """Normal, rounded to whole numbers: four values make up nearly all."""
    return np.round(generator.normal(size=shape))


def half_zero(generator: np.random.Generator, shape: tuple[int, ...]) -> Values:
    """Half of the images do not differ at all, the others exponentially; shifted to a mean of 0."""
    return generator.exponential(size=shape) * (generator.random(shape) < 0.5) - 0.5


def extreme(generator: np.random.Generator, shape: tuple[int, ...]) -> Values:
    """Log-normal, σ = 1.5, shifted to a mean of 0: rare images differ greatly the other way, and no procedure holds."""
    return generator.lognormal(0, 1.5, shape) - np.exp(1.5**2 / 2)


KINDS: Mapping[str, Draw] = {
    "normal": normal,
    "skewed": skewed,
    "tied": tied,
    "half zero": half_zero,
    "extreme": extreme,
}


def single(images: int) -> Groups:
    """Every image by itself."""
    return Groups(np.arange(images))


def intervals(evaluations: int) -> Iterator[Result]:
    """Coverage of the interval of a mean, beside Student's and a percentile bootstrap's."""
    for kind, draw in KINDS.items():
        for images in IMAGES:
            values = draw(np.random.default_rng(0), (images, evaluations))
            found, counts = means(values, single(images)), _counts(images)
            of_bootstrap = np.percentile(counts @ values / images, (2.5, 97.5), axis=0)
            half = student.isf(0.025, images - 1) * values.std(0, ddof=1) / np.sqrt(images)
            yield {
                "what": "mean",
                "values": kind,
                "images": images,
                "holds_the_truth": _held(found.low, found.high),
                "students": _held(values.mean(0) - half, values.mean(0) + half),
                "percentile_bootstrap": _held(*of_bootstrap),
                "width_in_students": float(np.nanmedian((found.high - found.low) / (2 * half))),
                "unknown": float(np.isnan(found.low).mean()),
            }


def _counts(images: int) -> Values:
    return np.concatenate(list(Resamples(single(images), DRAWS, 0).counts()))


def _held(low: Values, high: Values) -> float:
    """Share of the known intervals that hold 0."""
    known = ~np.isnan(low)
    return float(((low <= 0) & (high >= 0))[known].mean())


def of_patients(generator: np.random.Generator, columns: int) -> Values:
    """100×columns normal values, each with a variance of 1."""
    of_patient = generator.normal(size=(PATIENTS, 1, columns))
    own = generator.normal(size=(PATIENTS, IMAGES_EACH, columns))
    values = np.sqrt(ALIKE) * of_patient + np.sqrt(1 - ALIKE) * own
    return values.reshape(PATIENTS * IMAGES_EACH, columns)


def patients(evaluations: int) -> Iterator[Result]:
    """Coverage for means and accuracies of patients with several images, as groups and as if they were independent."""
    group, apart = np.arange(PATIENTS * IMAGES_EACH) // IMAGES_EACH, np.arange(PATIENTS * IMAGES_EACH)
    generator = np.random.default_rng(0)
    values = of_patients(generator, evaluations)
    for name, own in (("patients", group), ("as if independent", apart)):
        found = means(values, Groups(own))
        yield {"what": "mean", "images": name, "holds_the_truth": _held(found.low, found.high)}
    for number in (10, 20, 60):
        yield _unequal(number, evaluations)
    for share in (0.5, 0.8, 0.95):
        for name, own in (("patients", group), ("as if independent", apart)):
            ends = [share_interval((column < norm.ppf(share)).astype(np.float64), own) for column in values.T]
            held = np.mean([low <= share <= high for low, high in ends])
            yield {"what": f"accuracy {share:g}", "images": name, "holds_the_truth": float(held)}


def _unequal(number: int, evaluations: int) -> Result:
    """Patients with 1 to some 30 images each, drawn anew every time."""
    generator, held, known = np.random.default_rng(1), 0, 0
    for _ in range(evaluations):
        sizes = np.maximum(1, np.round(np.exp(generator.normal(1, 1, number)))).astype(np.int64)
        group = np.repeat(np.arange(number), sizes)
        own = generator.normal(size=len(group))
        values = np.sqrt(ALIKE) * generator.normal(size=number)[group] + np.sqrt(1 - ALIKE) * own
        found = means(values[:, None], Groups(group))
        if not np.isnan(found.low[0]):
            known += 1
            held += found.low[0] <= 0 <= found.high[0]
    return {
        "what": "mean, unequal numbers of images",
        "images": f"{number} patients",
        "holds_the_truth": float(held / known),
        "unknown": 1 - known / evaluations,
    }


def primary(evaluations: int) -> Iterator[Result]:
    """How often the primary comparison is called clear where there is no difference."""
    place = Place("in_model", "random", "morf")
    for kind, draw in KINDS.items():
        for images in IMAGES:
            generator = np.random.default_rng(0)
            everyone = np.ones(images, np.bool_)
            clear = 0
            for number in range(evaluations):
                difference = PairedDifference(place, draw(generator, (images,)), everyone)
                found = outcomes_of([difference], Resamples(single(images), DRAWS, number), place)
                clear += comparisons(list(found.values()))[0].verdict != "unclear"
            yield {"what": "primary", "values": kind, "images": images, "called_clear": clear / evaluations}


def family(evaluations: int) -> Iterator[Result]:
    """How often any of all the comparisons but the primary one is called clear where no method differs."""
    for kind in ("normal", "skewed", "tied"):
        for images in IMAGES:
            generator = np.random.default_rng(0)
            clear = sum(_any_clear(_scores(generator, kind, images), number) for number in range(evaluations))
            yield {"what": "family", "values": kind, "images": images, "any_called_clear": clear / evaluations}


def _scores(generator: np.random.Generator, kind: str, images: int) -> ImageAopc:
    """12 methods at 20 settings, all from one distribution."""
    common = generator.normal(size=(images, 1, 1))
    own = generator.normal(size=(images, METHODS, SETTINGS))
    values = np.sqrt(CORRELATION) * common + np.sqrt(1 - CORRELATION) * own
    if kind == "skewed":
        values = np.asarray(-norm.logsf(values), np.float64)
    if kind == "tied":
        values = np.round(values)
    others = [name for name in ALL_METHODS.names() if name not in ("in_model", "random")]
    names = ("in_model", "random", *others)[:METHODS]
    return ImageAopc(
        settings=tuple((size, "black") for size in range(1, SETTINGS + 1)),
        label=np.zeros(images, np.int64),
        values={(name, "morf"): values[:, number] for number, name in enumerate(names)},
        groups=single(images),
        images=np.ones(images, np.bool_),
    )


def _any_clear(scores: ImageAopc, seed: int) -> bool:
    primary_one = Place("in_model", "random", "morf")
    found = outcomes_of(list(differences_of_methods(scores)), Resamples(scores.groups, DRAWS, seed), primary_one)
    return any(row.verdict != "unclear" for row in comparisons(list(found.values())) if not row.primary)


def seconds(evaluations: int) -> Iterator[Result]:
    """CPU seconds of intervals and tests of made-up curves, beside a percentile bootstrap of the means in NumPy."""
    for images, steps, sets in ((60, 100, 60), (10_000, 30, 10)):
        curves = np.random.default_rng(0).random((sets, images, steps + 1))
        plain = min(_cpu_seconds(_percentile_bootstrap, curves) for _ in range(evaluations))
        ours = min(_cpu_seconds(_ours, curves) for _ in range(evaluations))
        place = {"what": "seconds", "images": images, "steps": steps, "sets": sets}
        yield place | {"percentile_bootstrap": plain, "ours": ours, "ratio": ours / plain}


def _cpu_seconds(work: Callable[[Values], None], curves: Values) -> float:
    start = time.process_time()
    work(curves)
    return time.process_time() - start


def _percentile_bootstrap(curves: Values) -> None:
    images = curves.shape[1]
    generator = np.random.default_rng(0)
    counts = generator.multinomial(images, np.full(images, 1 / images), size=DRAWS).astype(np.float64)
    for values in curves:
        np.percentile(counts @ values / images, (2.5, 97.5), axis=0, method="nearest")


def _ours(curves: Values) -> None:
    """The intervals of every step, and the tests of 400 differences."""
    groups = single(curves.shape[1])
    for values in curves:
        means(values, groups)
    differences = np.tile(curves.mean(2).T, 400 // len(curves))
    studentized(GroupSums.of_means(differences, groups), Resamples(groups, DRAWS, 0)).adjusted_p_values()


STUDIES: Studies = {
    "intervals": (intervals, 10_000),
    "patients": (patients, 4000),
    "primary": (primary, 2000),
    "family": (family, 400),
    "seconds": (seconds, 3),
}
"""What is simulated, and in how many made-up evaluations."""


if __name__ == "__main__":
    run_study(__doc__, STUDIES, "--evaluations")
