"""Which of the searched settings the results depend on, by Optuna's PED-ANOVA."""

import warnings
from collections.abc import Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

from distxml.config.sweep.parameter import Parameter
from distxml.config.sweep.sweep import Parameters
from distxml.tuning.records import TrialRecord

MIN_TRIALS = 8
"""Below so many finished trials nothing is said."""


def importances(parameters: Parameters, trials: Sequence[tuple[TrialRecord, float]]) -> dict[str, float]:
    """Share of each setting in what tells the best tenth of the trials from the others; they add up to 1.

    Source: Watanabe et al., "PED-ANOVA", IJCAI 2023.

    Args:
        parameters: the searched ones; those that some trial does not have are left out.
        trials: finished ones, with what is to be explained (more is better).
    """
    varied = {name: parameter for name, parameter in parameters.items() if _varies(name, parameter, trials)}
    if len(trials) < MIN_TRIALS or not varied:
        return {}
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize")
    distributions = {name: _distribution(parameter) for name, parameter in varied.items()}
    for record, value in trials:
        params = {name: _coded(parameter, record.settings[name]) for name, parameter in varied.items()}
        study.add_trial(optuna.trial.create_trial(params=params, distributions=distributions, value=value))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _varies(name: str, parameter: Parameter, trials: Sequence[tuple[TrialRecord, float]]) -> bool:
    if parameter.kind == "fixed" or any(name not in record.settings for record, _ in trials):
        return False
    return len({str(record.settings[name]) for record, _ in trials}) > 1


def _distribution(parameter: Parameter) -> BaseDistribution:
    if parameter.kind in ("choice", "grid"):
        return CategoricalDistribution(range(len(parameter.listed)))
    low, high = parameter.ends
    if parameter.kind == "integer":
        return IntDistribution(int(low), int(high))
    return FloatDistribution(low, high, log=parameter.kind == "loguniform")


def _coded(parameter: Parameter, value: Any) -> Any:
    return parameter.listed.index(value) if parameter.kind in ("choice", "grid") else value
