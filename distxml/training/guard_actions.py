"""`GuardActions`: what the guard does about a collapse, and what it warns of at the end of a phase."""

from dataclasses import dataclass

from distxml.config import Recipe
from distxml.config.phases import PhaseName
from distxml.errors import UnrecoverableError
from distxml.monitoring.events import GuardEvent, NoticeEvent
from distxml.monitoring.phase_figures import PhaseFigures
from distxml.training.callbacks.base import Callbacks
from distxml.training.checkpoints import CheckpointRef, Checkpoints
from distxml.training.guard import Collapse, diagnosis, useless_in_validation
from distxml.training.learner import Learner, learning_rates
from distxml.training.metrics import Metrics
from distxml.training.state import TrainState


@dataclass(frozen=True)
class GuardActions:
    """Acts on one rank; all ranks act alike.

    Attributes:
        checkpoints: of the run; the guard goes back to the healthy one of the phase.
        callbacks: are told what the guard does and warns of.
    """

    recipe: Recipe
    checkpoints: Checkpoints
    callbacks: Callbacks

    def act(self, state: TrainState, learner: Learner, collapse: Collapse) -> TrainState:
        """Change what has to change; returns the state to continue with.

        Raises:
            UnrecoverableError: the guard has acted often enough in this phase.
        """
        tries = self.recipe.guard.tries
        if state.tries >= tries:
            raise UnrecoverableError(
                f"{state.phase.label}: {collapse.reason}, after {tries} tries with other learning rates; "
                f"{diagnosis(self.recipe, state.phase, collapse)}; then start another run with run.name=NAME"
            )
        return (self._enlarge_steps if collapse.kind == "white" else self._go_back)(state, learner, collapse)

    def warn_of_useless_heatmap(self, state: TrainState, learner: Learner, validation: Metrics) -> None:
        """A phase has ended: say so if its heatmap explains nothing."""
        useless = useless_in_validation(validation, learner.phase, learner.guard)
        if useless:
            advice = diagnosis(self.recipe, state.phase, useless)
            message = f"the {state.phase} phase ended, but {useless.reason}, and explains nothing: {advice}"
            self.callbacks.on_notice(NoticeEvent(state.global_epoch, message))

    def warn_of_useless_classifier(
        self, state: TrainState, learner: Learner, figures: PhaseFigures | None, heat: float
    ) -> None:
        """A phase that trains the classifier has ended: say so if it does no better than the majority baseline.

        Args:
            state: of the phase's end.
            learner: of the phase.
            figures: of the validation split; None: fewer than two classes.
            heat: mean of the validation split's heatmaps.
        """
        if figures is None or learner.phase.lr_classifier == 0:
            return
        accuracy, baseline = figures.accuracy(), figures.majority_baseline()
        if accuracy <= baseline:
            message = (
                f"the {state.phase} phase ended, but {accuracy:.1%} of the validation images are classified correctly, "
                f"no more than the {baseline:.1%} of always predicting the most common class: "
                f"{_advice_on_classifier(self.recipe, state.phase, heat)}"
            )
            self.callbacks.on_notice(NoticeEvent(state.global_epoch, message))

    def _enlarge_steps(self, state: TrainState, learner: Learner, collapse: Collapse) -> TrainState:
        """The heatmap stays white: nothing is lost, but the explainer needs larger steps, and epochs to make them."""
        _scale_rate(state, learner, 1 / learner.guard.factor)
        learner.schedule.restart()
        state.epoch, state.white_steps, state.stale_epochs = 0, 0, 0
        self._report(state, learner, collapse, "raised the explainer's learning rate; the phase's epochs count anew")
        return state

    def _go_back(self, state: TrainState, learner: Learner, collapse: Collapse) -> TrainState:
        """The heatmap is dead: no gradient is left, so older weights are loaded, and trained with smaller steps."""
        healthy = CheckpointRef(state.phase, "healthy")
        before = self.checkpoints.state(healthy)
        back = state.take_back(before, state.step_in_epoch)
        learner.model.load_state_dict(self.checkpoints.model(healthy.phase, healthy.name).model.state_dict())
        self.checkpoints.restore_optimizer(healthy, learner)
        learner.forget_momentum()
        learner.scale_explainer_rate(state.rate_scale / before.rate_scale)  # the checkpoint's rate is older
        _scale_rate(back, learner, learner.guard.factor)
        action = f"went back to epoch {back.epoch} and lowered the explainer's learning rate"
        self._report(back, learner, collapse, action)
        return back

    def _report(self, state: TrainState, learner: Learner, collapse: Collapse, action: str) -> None:
        self.callbacks.on_guard(
            GuardEvent(
                phase=state.phase,
                epoch=state.epoch,
                global_epoch=state.global_epoch,
                reason=collapse.reason,
                action=action,
                tries=state.tries,
                lr_explainer=learning_rates(learner.optimizer, learner.phase).explainer,
            )
        )


def _scale_rate(state: TrainState, learner: Learner, factor: float) -> None:
    state.tries += 1
    state.rate_scale *= factor
    learner.scale_explainer_rate(factor)


def _advice_on_classifier(recipe: Recipe, name: PhaseName, heat: float) -> str:
    """What to change; `heat` is the heatmaps' mean: the classifier sees its features multiplied by them."""
    phase = recipe.phases[name]
    rate = f"change phases.{name}.lr_classifier (now {phase.lr_classifier:g})"
    if phase.lr_explainer > 0:
        starved = f"raise phases.{name}.alpha (now {phase.alpha:g}), as the heatmap lets little through"
        return f"{starved} (its mean is {heat:.3f}), or {rate}"
    return f"{rate}, or let it train for longer (phases.{name}.epochs, patience and until)"
