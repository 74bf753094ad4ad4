"""`metrics.jsonl`: what training keeps of it when it resumes after a crash."""

from pathlib import Path

import pytest

from distxml.config.phases import PhaseName
from distxml.monitoring.events import GuardEvent, PhaseEndEvent, ResumedEvent
from distxml.monitoring.metrics_log import MetricsLog, read_metrics

CLASSIFIER, EXPLAINER, JOINT = PhaseName

BEFORE, AFTER = ResumedEvent(CLASSIFIER, 2, 2, 0), PhaseEndEvent(CLASSIFIER, 3, 3, "epoch budget")


@pytest.mark.parametrize("tail", ["", '{"event": "epo', '{"event": "epoch", "global_epoch": 1}', "\0\0\0"])
def test_a_line_cut_off_at_the_end_is_forgotten(tmp_path: Path, tail: str) -> None:
    log = MetricsLog(tmp_path / "metrics.jsonl")
    log.write(BEFORE)
    log.write(AFTER)
    with log.path.open("a") as file:
        file.write(tail)
    assert [event["event"] for event in read_metrics(log.path)] == ["resumed", "phase_end"]
    log.forget_after(2, CLASSIFIER, 0)
    log.write(AFTER)
    assert [event["event"] for event in read_metrics(log.path)] == ["resumed", "phase_end"]
    assert log.path.read_text().count("\n") == 2


@pytest.mark.parametrize(
    "line", ["5", "[]", "{}", '{"event": "epoch", "global_epoch": null}', '{"event": 3}', "[" * 100_000, "\ufffd"]
)
def test_a_damaged_line_does_not_keep_training_from_going_on(tmp_path: Path, line: str) -> None:
    log = MetricsLog(tmp_path / "metrics.jsonl")
    log.write(BEFORE)
    with log.path.open("a") as file:
        file.write(line + "\n")
    log.write(AFTER)
    log.forget_after(2, CLASSIFIER, 0)
    assert [event["event"] for event in read_metrics(log.path)] == ["resumed"]


def test_an_act_of_the_guard_that_was_not_saved_is_forgotten(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path / "metrics.jsonl")
    for phase, tries in ((EXPLAINER, 1), (EXPLAINER, 2), (JOINT, 1), (JOINT, 2)):
        log.write(GuardEvent(phase, 2, 5, "black", "went back", tries, 0.01))
    log.forget_after(5, JOINT, 1)
    assert [(event["phase"], event["tries"]) for event in read_metrics(log.path)] == [
        (EXPLAINER, 1),
        (EXPLAINER, 2),
        (JOINT, 1),
    ]
