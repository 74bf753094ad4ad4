"""`evaluation.py growth`: how the seconds of `ImageScorer.score` grow with images, steps and methods.

One of the three grows, the others stay. Were the cost linear, seconds per forward pass would stay the same;
`largest_to_smallest` is what they become. The methods are those whose heatmaps cost next to nothing.
"""

from collections.abc import Sequence
from pathlib import Path

from evaluation_material import Subject, points_of, scorer_of
from evaluation_scorer import seconds
from train_rounds import Measure, medians, significant, take_turns

from distxml.config.evaluation import EvaluationSettings, Method
from distxml.data.rows import Row

CHEAP: tuple[Method, ...] = ("in_model", "random", "center_distance", "otsu", "canny")
STEPS = (12, 24, 48, 96)
BASE = EvaluationSettings(methods=CHEAP[:2], patch_sizes=(4,), fills=("black", "blur"), steps=STEPS[1])


def measure_growth(subject: Subject, folder: Path, rounds: int) -> dict[str, object]:
    """Seconds at each size."""
    rows = subject.rows
    some = rows[: max(1, len(rows) // 4)]
    sizes = [count for count in (len(rows) // 8, len(rows) // 4, len(rows) // 2, len(rows)) if count]
    axes = {
        "images": {count: _Score(subject, folder, BASE, rows[:count]) for count in sizes},
        "steps": {steps: _Score(subject, folder, _base(steps=steps), some) for steps in STEPS},
        "methods": {n: _Score(subject, folder, _base(methods=CHEAP[:n]), some) for n in range(1, len(CHEAP) + 1)},
    }
    return {"work": subject.name, **{axis: _grown(axis, scores, rounds) for axis, scores in axes.items()}}


class _Score:
    """Scoring some images with some settings."""

    def __init__(self, subject: Subject, folder: Path, settings: EvaluationSettings, rows: Sequence[Row]) -> None:
        self.scorer, self.rows, self.methods = scorer_of(subject, folder, settings, rows), rows, settings.methods
        self.passes = sum(points_of(self.scorer, rows, self.methods))

    def measure(self) -> float:
        """Seconds."""
        return seconds(lambda: self.scorer.score(self.rows, self.methods))


def _base(**changed: object) -> EvaluationSettings:
    return EvaluationSettings.model_validate(BASE.model_dump() | changed)


def _grown(axis: str, scores: dict[int, _Score], rounds: int) -> dict[str, object]:
    candidates: dict[str, Measure] = {str(size): score.measure for size, score in scores.items()}
    middle = medians(take_turns(candidates, rounds, axis))
    each = {str(size): middle[str(size)] / score.passes for size, score in scores.items()}
    sizes = list(each)
    return {
        "passes": {str(size): score.passes for size, score in scores.items()},
        "seconds": {size: significant(value) for size, value in middle.items()},
        "milliseconds_a_pass": {size: significant(1000 * value, 3) for size, value in each.items()},
        "largest_to_smallest": round(each[sizes[-1]] / each[sizes[0]], 3),
    }
