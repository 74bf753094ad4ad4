"""The collapse guard: has the heatmap collapsed, and which settings to change if it has."""

from dataclasses import dataclass
from typing import Literal

from distxml.config import Recipe
from distxml.config.guard import GuardSettings
from distxml.config.phases import PhaseName, PhaseSettings
from distxml.errors import UnrecoverableError
from distxml.training.metrics import Metrics, RunningMeans

HEALTHY_MARGIN = 2
"""How far from collapse weights must be to be worth going back to: at least this multiple of the share of lit pixels at
which a heatmap counts as black, and of the difference at which heatmaps count as the same."""
MOSTLY_BLACK = 0.5
"""Heatmaps that are the same count as collapsed only if at least this share of their pixels is black: an explainer that
has just begun to learn makes heatmaps that are all white."""


@dataclass(frozen=True)
class Collapse:
    """The heatmap explains nothing.

    Attributes:
        kind: `dead`: black, or the same for every image; no gradient is left, so training has to go back. `white`: the
            explainer has not moved, so it needs larger steps.
        reason: for the log.
        unless: what to change if such a heatmap is right for the data.
    """

    kind: Literal["dead", "white"]
    reason: str
    unless: str = ""


def collapse_in_training(
    means: RunningMeans, white_steps: int, phase: PhaseSettings, guard: GuardSettings
) -> Collapse | None:
    """Whether the heatmap is dead, or has stayed white for too many steps.

    Args:
        means: over training steps.
        white_steps: steps in a row, up to now, at which the heatmap was white.
        phase: which networks it trains.
        guard: thresholds.
    """
    if guard.white_steps is not None and phase.lr_classifier == 0 and white_steps >= guard.white_steps:
        share = f"{means.white:.1%} of its pixels are above {guard.white_above} after {white_steps} steps"
        return Collapse("white", f"the heatmap stays white ({share})")
    return _dead(means.black, means.difference, "over the last training steps", phase, guard)


def collapse_in_validation(validation: Metrics, phase: PhaseSettings, guard: GuardSettings) -> Collapse | None:
    """Whether the heatmap is dead in eval mode."""
    return _dead(validation["black"], validation.get("difference", 1.0), "in validation", phase, guard)


def useless_in_validation(validation: Metrics, phase: PhaseSettings, guard: GuardSettings) -> Collapse | None:
    """Whether a heatmap that is not dead still explains nothing: it is white, or the same for every image."""
    if phase.lr_explainer == 0:
        return None
    white = f"{validation['white']:.1%} of its pixels are above {guard.white_above}"
    if is_white(validation["white"], guard):
        return Collapse("white", f"the heatmap is white ({white} in validation)")
    difference = validation.get("difference", 1.0)
    if guard.same_below is not None and difference < guard.same_below:
        share = f"heatmaps differ by {difference:.1%} of their heat in validation, {white}"
        return Collapse("white", f"the heatmap is the same for every image ({share})")
    return None


def is_white(white: float, guard: GuardSettings) -> bool:
    """Whether a heatmap with this share of white pixels is white."""
    return white >= guard.white_share


def is_healthy(means: RunningMeans, black: float, difference: float, guard: GuardSettings) -> bool:
    """Whether the weights are worth going back to, in training and in eval mode.

    Args:
        means: of training.
        black, difference: of the last validation (see `TrainState`).
        guard: thresholds.
    """
    modes = ((means.black, means.difference), (black, difference))
    return not any(
        _is_black(mode[0], guard, HEALTHY_MARGIN) or _is_same(*mode, guard, HEALTHY_MARGIN) for mode in modes
    )


def diagnosis(recipe: Recipe, name: PhaseName, collapse: Collapse) -> str:
    """Which settings to change against a collapse."""
    phase = recipe.phases[name]
    settings = [f"phases.{name}.lr_explainer (now {phase.lr_explainer:g})"]
    if collapse.kind == "white":
        advice = f"raise {settings[0]}, lower model.init_bias (now {recipe.model.init_bias:g})"
        return f"{advice}, or lower phases.{name}.alpha (now {phase.alpha:g})"
    if recipe.optimizer.clip_norm is None:
        settings.append("optimizer.clip_norm (now unset; 1.0 is safe)")
    advice = f"raise phases.{name}.alpha (now {phase.alpha:g}), as heat is too expensive"
    if phase.lr_classifier == 0:
        advice = f"end the phase earlier with a higher phases.{name}.until"
    return f"lower {' and '.join(settings)}, or {advice}; or {collapse.unless}"


def dead_from_the_start(recipe: Recipe, name: PhaseName, collapse: Collapse) -> UnrecoverableError:
    """The error of a phase whose explainer is dead before its first step: smaller steps would not wake it."""
    start = recipe.warm_start
    before = next((phase for phase in reversed(name.earlier) if recipe.phases[phase].lr_explainer > 0), None)
    if before is not None:
        cause = f"lower phases.{before}.lr_explainer, or raise phases.{before}.until"
    elif start is not None and start.part != "classifier":
        cause = f"warm_start.checkpoint={start.checkpoint} holds a dead explainer: take another, or leave it out"
    else:
        cause = f"raise model.init_bias (now {recipe.model.init_bias:g})"
    return UnrecoverableError(
        f"the {name} phase cannot start: {collapse.reason}; {cause}; or {collapse.unless}; then start another run "
        "with run.name=NAME"
    )


def _dead(black: float, difference: float, where: str, phase: PhaseSettings, guard: GuardSettings) -> Collapse | None:
    if phase.lr_explainer == 0:
        return None
    if _is_black(black, guard):
        pixels = f"{black:.2%} of its pixels are below {guard.black_below} {where}"
        unless = f"raise guard.black_share (now {guard.black_share}) if so little heat is right for your images"
        return Collapse("dead", f"the heatmap has gone black ({pixels})", unless)
    if _is_same(black, difference, guard):
        share = f"heatmaps differ by {difference:.1%} of their heat {where}"
        unless = f"lower guard.same_below (now {guard.same_below}) if what matters is in the same place in all images"
        return Collapse("dead", f"the heatmap is the same for every image ({share})", unless)
    return None


def _is_black(black: float, guard: GuardSettings, margin: float = 1) -> bool:
    return guard.black_share is not None and 1 - black <= margin * (1 - guard.black_share)


def _is_same(black: float, difference: float, guard: GuardSettings, margin: float = 1) -> bool:
    return guard.same_below is not None and black >= MOSTLY_BLACK / margin and difference < margin * guard.same_below
