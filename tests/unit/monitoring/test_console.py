"""What a user reads on a terminal that cannot show a live line."""

import io

import pytest
from rich.console import Console

from distxml.config.phases import PhaseName
from distxml.monitoring.console import TrainingConsole
from distxml.monitoring.events import Event, FailedEvent, GuardEvent, NoticeEvent, PhaseEndEvent, ResumedEvent
from tests.unit.monitoring.some_events import epoch_event, step_event

CLASSIFIER, EXPLAINER, JOINT = PhaseName

GUARD = GuardEvent(EXPLAINER, 3, 7, "heatmap went black", "went back to epoch 3, halved the rate", 2, 0.005)


def shown(event: Event, terminal: bool = False) -> str:
    out = io.StringIO()
    with TrainingConsole(Console(file=out, width=200, force_terminal=terminal)) as console:
        console.show(event)
    return out.getvalue()


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            epoch_event(3),
            "phase 2, explainer  epoch 3/4  val loss 0.500  expl 0.300  heat 0.250  acc 0.875  black 12.5%"
            "  white 75.0%  100 img/s  wait 12%  3.0 s",
        ),
        (
            PhaseEndEvent(PhaseName.EXPLAINER, 5, 9, "epoch budget"),
            "the explainer phase ended after 5 epochs: epoch budget",
        ),
        (
            ResumedEvent(PhaseName.EXPLAINER, 1, 4, 6),
            "resumed in the explainer phase after epoch 1 and 6 steps of the next",
        ),
        (
            GUARD,
            "collapse guard, explainer phase, try 2: heatmap went black; went back to epoch 3, halved the rate "
            "(explainer's learning rate now 0.005)",
        ),
        (NoticeEvent(4, "checkpoint [last] skipped: truncated"), "note: checkpoint [last] skipped: truncated"),
        (FailedEvent("disk full"), "a worker stopped: disk full"),
    ],
)
def test_one_plain_line_an_event(event: Event, line: str) -> None:
    assert shown(event) == line + "\n"


def test_no_budget_is_not_shown() -> None:
    assert "epoch 3  val" in shown(epoch_event(3, epochs=None))


def test_steps_are_for_a_terminal_alone() -> None:
    assert shown(step_event(3)) == ""
    with_budget, without = (shown(step_event(3, seconds_left=left), terminal=True) for left in (90.0, None))
    assert "epoch 1/4 step 3/9" in with_budget and "at most 1:30 left" in with_budget
    assert "epoch 1 step 3/9" in without and "left" not in without and "wait 12%" in without
