"""Where the next trial's values come from: a grid, or Optuna's random or TPE sampler."""

import math
import warnings
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any, Protocol

import optuna
from omegaconf import OmegaConf
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, Trial, TrialState

from distxml.config import Recipe
from distxml.config.load import with_settings
from distxml.config.phases import PhaseName
from distxml.config.seeds import seed_from
from distxml.config.sweep.parameter import Parameter
from distxml.config.sweep.sweep import Parameters, SearchSettings
from distxml.errors import UserError
from distxml.tuning.objective import ObjectiveValue
from distxml.tuning.records import TrialRecord

LAST_PHASE_ALONE = f"phases.{PhaseName.JOINT}."
"""Settings that only the last phase depends on: a grid varies them slowest, so that trials that run side by side train
different early phases instead of waiting for the same one."""

VIOLATION = "violation"

Assignment = dict[str, Any]
"""What the search chose, by dotted names of the recipe's settings."""


class Space:
    """Parameters over a base recipe."""

    def __init__(self, parameters: Parameters, base: Recipe) -> None:
        self.parameters = parameters
        self._base = OmegaConf.create(base.model_dump(mode="json"))

    def draw(self, value_of: Callable[[str, Parameter], Any], given: Assignment) -> Assignment:
        """One trial's values: those of `value_of`, for the parameters whose conditions hold.

        Args:
            value_of: what the search says of a parameter.
            given: what was chosen before, in earlier steps.
        """
        chosen: Assignment = {}
        for name, parameter in self.parameters.items():
            if self._is_set(parameter, given | chosen):
                chosen[name] = parameter.fixed if parameter.kind == "fixed" else value_of(name, parameter)
        return chosen

    def grid(self, given: Assignment) -> list[Assignment]:
        """Every combination once; what the last phase alone depends on varies slowest. `given`: see `draw`."""
        open_ones = [name for name, parameter in self.parameters.items() if parameter.kind != "fixed"]
        order = sorted(open_ones, key=lambda name: not name.startswith(LAST_PHASE_ALONE))
        lists = [self.parameters[name].listed for name in order]
        found: list[Assignment] = []
        for values in product(*lists):
            by_name = dict(zip(order, values, strict=True))
            combination = self.draw(lambda name, _, by_name=by_name: by_name[name], given)
            if combination not in found:  # parameters that are not set make some the same
                found.append(combination)
        return found

    def max_combinations(self) -> int:
        """Of a grid, whatever was chosen before."""
        return math.prod(len(parameter.listed) for parameter in self.parameters.values())

    def _is_set(self, parameter: Parameter, chosen: Assignment) -> bool:
        return all(self._meets(name, wanted, chosen) for name, wanted in parameter.when.items())

    def _meets(self, name: str, wanted: Any, chosen: Assignment) -> bool:
        value = chosen[name] if name in chosen else OmegaConf.select(self._base, name)
        return value in wanted if isinstance(wanted, list) else value == wanted


def check_parameters(parameters: Parameters, base: Recipe, origin: str) -> None:
    """Whether each value of each parameter, by itself, is one that its setting may have.

    Combinations may still not go together: such trials fail, and are recorded with the reason.

    Raises:
        UserError: a setting does not exist, does not take a value, or is a path that leads elsewhere from elsewhere.
    """
    for name, values in _values(parameters):
        for value in values:
            recipe = with_settings(base, _condition(parameters, name) | {name: value}, f"{origin}: parameters.{name}")
            if not all(path.is_absolute() for path in _searched_paths(recipe)):
                raise UserError(f"{origin}: parameters.{name}={value}: trials run elsewhere; write the whole path")


def _searched_paths(recipe: Recipe) -> list[Path]:
    found = [recipe.warm_start.checkpoint if recipe.warm_start else None, recipe.model.pretrained]
    return [path for path in found if isinstance(path, Path)]


def _values(parameters: Parameters) -> Iterator[tuple[str, tuple[Any, ...]]]:
    for name, parameter in parameters.items():
        ends = parameter.listed
        yield name, tuple(int(end) for end in ends) if parameter.kind == "integer" else ends


def _condition(parameters: Parameters, name: str) -> Assignment:
    """What a parameter's own conditions ask for, so that it is checked where it is set."""
    wanted = parameters[name].when.items()
    return {other: value[0] if isinstance(value, list) else value for other, value in wanted}


class Search(Protocol):
    """Proposes trials of one step; `place` counts them from 0. `given` is what earlier steps have chosen."""

    def propose(self, place: int, given: Assignment) -> Assignment | None:
        """Values for a new trial; None where there are no more."""
        ...

    def replay(self, place: int, settings: Assignment) -> None:
        """A trial that was proposed before an interruption; its settings hold what was given."""

    def tell(self, place: int, record: TrialRecord, value: ObjectiveValue | None) -> None:
        """A trial is over; `value` where it has all metrics."""


class GridSearch:
    """Every combination, in turn.

    Optuna's `GridSampler` and `BruteForceSampler` take them in random order: trials that run side by side would train
    the same early phases. The first also knows no conditions, so that it would make equal trials.
    """

    def __init__(self, space: Space) -> None:
        self.space = space

    def propose(self, place: int, given: Assignment) -> Assignment | None:
        """The `place`-th combination."""
        combinations = self.space.grid(given)
        return combinations[place] if place < len(combinations) else None

    def replay(self, place: int, settings: Assignment) -> None:
        """Nothing depends on it."""

    def tell(self, place: int, record: TrialRecord, value: ObjectiveValue | None) -> None:
        """Nothing depends on it."""


class RandomSearch:
    """Optuna's random sampler, with a seed of its own for each trial: its values depend on nothing that was drawn
    before, so a sweep that is resumed draws what it would have drawn."""

    def __init__(self, space: Space, seed: int) -> None:
        self.space, self.seed = space, seed

    def propose(self, place: int, given: Assignment) -> Assignment | None:
        """The `place`-th draw."""
        names = ",".join(self.space.parameters)  # other steps of the sweep draw others at the same place
        trial = _study(RandomSampler(seed_from("random", self.seed, place, names) % 2**32)).ask()
        return self.space.draw(lambda name, parameter: _suggest(trial, name, parameter), given)

    def replay(self, place: int, settings: Assignment) -> None:
        """Nothing depends on it."""

    def tell(self, place: int, record: TrialRecord, value: ObjectiveValue | None) -> None:
        """Nothing depends on it."""


class TpeSearch:
    """Optuna's tree-structured Parzen estimator.

    Source: Bergstra et al., NIPS 2011; for several objectives Ozaki et al., JAIR 2022.
    """

    def __init__(self, space: Space, settings: SearchSettings, objectives: int, limited: bool, known: int) -> None:
        """
        Args:
            space: the parameters.
            settings: seed and number of random trials.
            objectives: how many metrics are optimized side by side; with one, the score is.
            limited: whether limits are to be learnt from.
            known: trials before an interruption; they shift the seed, so that none is proposed again.
        """
        self.space, self.objectives = space, objectives
        self._asked: dict[int, Trial] = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            sampler = TPESampler(
                seed=seed_from("tpe", settings.seed, known) % 2**32,
                n_startup_trials=settings.startup,
                multivariate=True,
                group=True,  # parameters with conditions
                constant_liar=True,  # trials that still run repel those proposed beside them
                constraints_func=_violation if limited else None,
            )
            self.study = _study(sampler, objectives)

    def propose(self, place: int, given: Assignment) -> Assignment | None:
        """What TPE proposes next."""
        trial = self._asked[place] = self.study.ask()
        return self.space.draw(lambda name, parameter: _suggest(trial, name, parameter), given)

    def replay(self, place: int, settings: Assignment) -> None:
        """Has TPE propose these values once more."""
        parameters = self.space.parameters
        own = {name: value for name, value in settings.items() if name in parameters}
        coded = {name: _coded(parameters[name], value) for name, value in own.items()}
        self.study.enqueue_trial({name: value for name, value in coded.items() if parameters[name].kind != "fixed"})
        self.propose(place, {name: value for name, value in settings.items() if name not in parameters})

    def tell(self, place: int, record: TrialRecord, value: ObjectiveValue | None) -> None:
        """Stopped trials count as worse than those that ran for longer; failed ones are not learnt from."""
        trial = self._asked.pop(place)
        if value is None or record.status == "failed":
            self.study.tell(trial, state=TrialState.FAIL)
            return
        trial.set_user_attr(VIOLATION, value.violation)
        values = [value.score] if self.objectives == 1 else list(value.values)
        if record.status == "stopped" and self.objectives == 1:
            trial.report(values[0], record.epochs[PhaseName.JOINT])
            self.study.tell(trial, state=TrialState.PRUNED)
        else:
            self.study.tell(trial, values)


def _study(sampler: BaseSampler, objectives: int = 1) -> Study:
    """A silent one, where more is better."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(directions=[StudyDirection.MAXIMIZE] * objectives, sampler=sampler)


def _violation(trial: FrozenTrial) -> tuple[float]:
    return (float(trial.user_attrs.get(VIOLATION, 0.0)),)


def _suggest(trial: Trial, name: str, parameter: Parameter) -> Any:
    if parameter.kind == "integer":
        low, high = parameter.ends
        return trial.suggest_int(name, int(low), int(high))
    if parameter.kind in ("uniform", "loguniform"):
        low, high = parameter.ends
        return trial.suggest_float(name, low, high, log=parameter.kind == "loguniform")
    return parameter.listed[trial.suggest_categorical(name, range(len(parameter.listed)))]


def _coded(parameter: Parameter, value: Any) -> Any:
    """A value as Optuna has it: of a choice the place in its list, as not every value can be one of Optuna's."""
    return parameter.listed.index(value) if parameter.kind == "choice" else value
