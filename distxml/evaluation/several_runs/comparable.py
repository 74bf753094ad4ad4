"""Whether runs are trainings of one procedure: the same recipe and data, other seeds and other weights."""

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from distxml.config.recipe import Recipe
from distxml.config.run_folder import RunFolder
from distxml.digest import file_digest
from distxml.errors import UserError
from distxml.evaluation.prepare import Evaluation

FREE_PARTS = {"run", "scaling", "dataset", "quick_scores"}
"""Parts of a recipe that change no result but by the seed; the data are compared by their checksums."""
FREE_FIELDS = {
    "loader.threads",
    "loader.prefetch",
    "compute.channels_last",
    "compute.compile",
    "compute.deterministic",
    "evaluation.batch_size",
}
"""The same of single fields."""
SHOWN = 3
"""Fields that differ are named up to this number."""


def refuse_one_run_twice(runs: Sequence[RunFolder]) -> None:
    """By whatever path it is named.

    Raises:
        UserError: a folder is named twice.
    """
    for one, other in combinations(runs, 2):
        if os.path.realpath(str(one)) == os.path.realpath(str(other)):
            same = "" if str(one) == str(other) else f" (it is {one})"
            raise UserError(f"run {other}: is named twice{same}; name each run once")


def refuse_others(runs: Sequence[RunFolder], evaluations: Sequence[Evaluation]) -> None:
    """Hold every run against the first.

    Args:
        runs: two or more.
        evaluations: of each, as it was prepared.

    Raises:
        UserError: settings or data of two runs differ, two have the same weights, or one has not finished.
    """
    for run, evaluation in zip(runs, evaluations, strict=True):
        if not evaluation.scored.training_finished:
            raise UserError(
                f"run {run}: its training is not finished; finish it (`distxml train` with the same run.name "
                "resumes where it stopped), or leave it out"
            )
        _refuse_other_data(run, evaluation, runs[0], evaluations[0])
        _refuse_other_settings(run, evaluation.recipe, runs[0], evaluations[0].recipe)
    for (one, first), (other, second) in combinations(zip(runs, evaluations, strict=True), 2):
        if not _weights(first).isdisjoint(_weights(second)):
            raise UserError(
                f"run {other}: has the same weights as run {one}, so it is no second training; leave one "
                "out, or train it again with another run.seed and run.name"
            )


def _weights(evaluation: Evaluation) -> set[str]:
    return {evaluation.scored.sha256, evaluation.scored.explainer_sha256}


def notes_on_seeds(runs: Sequence[RunFolder], evaluations: Sequence[Evaluation]) -> Iterator[str]:
    """What the user should know of runs that differ but have one seed."""
    for (one, first), (other, second) in combinations(zip(runs, evaluations, strict=True), 2):
        if first.recipe.run.seed == second.recipe.run.seed:
            yield (
                f"runs {one} and {other} have the same run.seed ({first.recipe.run.seed}): they began with "
                "the same weights, so they say less about how trainings differ"
            )


def _refuse_other_data(run: RunFolder, evaluation: Evaluation, first: RunFolder, held: Evaluation) -> None:
    trained = [file_digest(one.dataset) if one.dataset.is_file() else None for one in (run, first)]
    if trained[0] != trained[1]:
        raise UserError(
            f"run {run}: was trained on another dataset than run {first} (their {run.dataset.name} differ); "
            "leave it out, or train it again on that dataset"
        )
    if evaluation.dataset.sha256 != held.dataset.sha256:
        raise UserError(
            f"run {run}: would be scored on dataset {evaluation.dataset.folder}, which is another than "
            f"{held.dataset.folder} of run {first}; name one for all with dataset.path=..."
        )


def _refuse_other_settings(run: RunFolder, recipe: Recipe, first: RunFolder, held: Recipe) -> None:
    found, expected = compared(recipe), compared(held)
    differ = [name for name in expected | found if found.get(name) != expected.get(name)]
    if not differ:
        return
    named = [f"{name} is {found.get(name)}, not {expected.get(name)}" for name in differ[:SHOWN]]
    more = f", and {len(differ) - SHOWN} more settings differ" if len(differ) > SHOWN else ""
    of_evaluation = all(name.startswith("evaluation.") for name in differ)
    remedy = (
        f"give {differ[0]}=... in the command, for all of them"
        if of_evaluation
        else "runs are summarized together only where they differ in nothing but run.seed and run.name: leave it out, "
        "or train it again with the same settings"
    )
    raise UserError(f"run {run}: {'; '.join(named)} as in run {first}{more}; {remedy}")


def compared(recipe: Recipe) -> dict[str, Any]:
    """Every setting that must be the same, by its dotted name."""
    flat = dict(_flat(recipe.model_dump(mode="json", exclude=FREE_PARTS)))
    return {name: value for name, value in flat.items() if name not in FREE_FIELDS}


def _flat(tree: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{place}{name}.")
        else:
            yield f"{place}{name}", value
