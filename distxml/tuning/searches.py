"""Where the next trial's values come from: a grid, seeded draws, or Optuna's TPE."""

import warnings
from typing import Any, Protocol

import numpy as np
import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import TPESampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, Trial, TrialState

from distxml.config.seeds import seed_from
from distxml.config.sweep.parameter import Parameter
from distxml.config.sweep.sweep import SearchSettings
from distxml.tuning.judge import Verdict
from distxml.tuning.records import TrialRecord
from distxml.tuning.space import Assignment, Space

VIOLATION = "violation"


class Search(Protocol):
    """Proposes trials of one step; `place` counts them from 0. `given` is what earlier steps have chosen."""

    def propose(self, place: int, given: Assignment) -> Assignment | None:
        """Values for a new trial; None where there are no more."""
        ...

    def know(self, place: int, settings: Assignment) -> None:
        """A trial that was proposed before an interruption; its settings hold what was given."""

    def tell(self, place: int, record: TrialRecord, verdict: Verdict | None) -> None:
        """A trial is over; `verdict` where it has all metrics."""


class GridSearch:
    """Every combination, in turn."""

    def __init__(self, space: Space) -> None:
        self.space = space

    def propose(self, place: int, given: Assignment) -> Assignment | None:
        """The `place`-th combination."""
        combinations = self.space.grid(given)
        return combinations[place] if place < len(combinations) else None

    def know(self, place: int, settings: Assignment) -> None:
        """Nothing depends on it."""

    def tell(self, place: int, record: TrialRecord, verdict: Verdict | None) -> None:
        """Nothing depends on it."""


class RandomSearch:
    """Draws that are a function of the seed, the trial's place and the parameter's name."""

    def __init__(self, space: Space, seed: int) -> None:
        self.space, self.seed = space, seed

    def propose(self, place: int, given: Assignment) -> Assignment | None:
        """The `place`-th draw."""

        def value_of(name: str, parameter: Parameter) -> Any:
            return parameter.at(np.random.default_rng(seed_from("sweep", self.seed, place, name)).random())

        return self.space.draw(value_of, given)

    def know(self, place: int, settings: Assignment) -> None:
        """Nothing depends on it."""

    def tell(self, place: int, record: TrialRecord, verdict: Verdict | None) -> None:
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
            objectives: how many values a verdict has; with one, its score is followed.
            limited: whether limits are to be learnt from.
            known: trials before an interruption; they shift the seed, so that none is proposed again.
        """
        self.space, self.objectives = space, objectives
        self._asked: dict[int, Trial] = {}
        optuna.logging.set_verbosity(optuna.logging.ERROR)
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
            self.study = optuna.create_study(directions=[StudyDirection.MAXIMIZE] * objectives, sampler=sampler)

    def propose(self, place: int, given: Assignment) -> Assignment | None:
        """What TPE proposes next."""
        trial = self._asked[place] = self.study.ask()
        return self.space.draw(lambda name, parameter: _suggest(trial, name, parameter), given)

    def know(self, place: int, settings: Assignment) -> None:
        """Has TPE propose these values once more."""
        parameters = self.space.parameters
        own = {name: value for name, value in settings.items() if name in parameters}
        coded = {name: _coded(parameters[name], value) for name, value in own.items()}
        self.study.enqueue_trial({name: value for name, value in coded.items() if parameters[name].kind != "fixed"})
        self.propose(place, {name: value for name, value in settings.items() if name not in parameters})

    def tell(self, place: int, record: TrialRecord, verdict: Verdict | None) -> None:
        """Stopped trials count as worse than those that went on for longer; failed ones are not learnt from."""
        trial = self._asked.pop(place)
        if verdict is None or record.status == "failed":
            self.study.tell(trial, state=TrialState.FAIL)
            return
        trial.set_user_attr(VIOLATION, verdict.violation)
        values = [verdict.score] if self.objectives == 1 else list(verdict.values)
        if record.status == "stopped" and self.objectives == 1:
            trial.report(values[0], record.epochs[2])
            self.study.tell(trial, state=TrialState.PRUNED)
        else:
            self.study.tell(trial, values)


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
