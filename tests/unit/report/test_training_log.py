"""The training log: restarts, lines cut short, numbers that are missing."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distxml.config.phases import PhaseName
from distxml.errors import UserError
from distxml.report.figures.training import training_figures
from distxml.report.training_log import GuardAction, PhaseEnd, TrainingLog, read_training_log
from distxml.report.wording import epochs
from tests.unit.evaluation.small_model import small_recipe
from tests.unit.report.run_on_disk import (
    EVALUATION,
    end_event,
    epoch_event,
    full_log,
    guard_event,
    notice_event,
    short_log,
)

CLASSIFIER, EXPLAINER, JOINT = PhaseName


def _read(folder: Path, events: list[dict[str, Any]], tail: str = "") -> TrainingLog:
    path = folder / "metrics.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in events) + tail)
    return read_training_log(path)


def test_complete_log(tmp_path: Path):
    log = _read(tmp_path, full_log())
    assert [(epoch.phase, epoch.number, epoch.overall) for epoch in log.epochs] == [
        (CLASSIFIER, 1, 1),
        (CLASSIFIER, 2, 2),
        (EXPLAINER, 1, 3),
        (JOINT, 1, 4),
    ]
    assert log.end_of(EXPLAINER) == PhaseEnd(EXPLAINER, 1, "explanation loss fell to 50% of its start", 3)
    assert [log.epochs_of(phase) for phase in PhaseName] == [2, 1, 1]
    assert log.restarts == 1
    assert log.seconds == pytest.approx(4 * 3.5)


def test_no_log_is_an_empty_log(tmp_path: Path):
    assert read_training_log(tmp_path / "metrics.jsonl") == TrainingLog()


def test_a_last_line_cut_short_is_left_out(tmp_path: Path):
    assert len(_read(tmp_path, [epoch_event(CLASSIFIER, 1, 1)], '{"event": "epo').epochs) == 1


@given(seen=st.integers(1, 9), resumed_at=st.integers(1, 9), total=st.integers(1, 12))
def test_after_a_restart_each_epoch_counts_once_as_trained_last(seen: int, resumed_at: int, total: int):
    log = TrainingLog()
    for overall in range(1, seen + 1):
        log.add(epoch_event(CLASSIFIER, overall, overall, loss=1.0))
    log.add(end_event(CLASSIFIER, seen, seen, "epoch budget"))
    start = min(resumed_at, seen)
    for overall in range(start, max(start, total) + 1):
        log.add(epoch_event(CLASSIFIER, overall, overall, loss=2.0))
    assert [epoch.overall for epoch in log.epochs] == list(range(1, max(start, total) + 1))
    losses = [epoch.value("train", "total") * epoch.overall for epoch in log.epochs]
    assert losses == pytest.approx([1.0] * (start - 1) + [2.0] * (max(start, total) - start + 1))
    assert log.ends == []  # the end that was logged before the restart has not happened yet


def test_missing_numbers_are_nan_and_have_no_panel(tmp_path: Path):
    event = epoch_event(CLASSIFIER, 1, 1)
    event["val"] = None
    event["train"] = {"total": None, "accuracy": 0.5}
    del event["seconds"]
    log = _read(tmp_path, [event])
    assert math.isnan(log.epochs[0].value("val", "accuracy"))
    assert math.isnan(log.epochs[0].value("train", "total"))
    assert log.seconds == 0
    assert [drawn.picture.alt.split(" over")[0] for drawn in training_figures(log)] == [
        "Accuracy",
        "Learning rates of the classifier and of the explainer",
    ]


def test_loss_that_is_nan_still_draws(tmp_path: Path):
    losses = {"train": {"total": math.nan}, "val": {"total": math.nan}}
    log = _read(tmp_path, [epoch_event(CLASSIFIER, 1, 1) | losses, *short_log()])
    assert [drawn.plate.name for drawn in training_figures(log)] == ["training_total", "training_learning_rates"]


def test_guard_and_notices(tmp_path: Path):
    events = [
        notice_event(0, "checkpoint skipped"),
        epoch_event(CLASSIFIER, 1, 1),
        epoch_event(EXPLAINER, 1, 2),
        guard_event(EXPLAINER, 1, 2),
        guard_event(EXPLAINER, 2, 2),
        guard_event(EXPLAINER, 2, 2),  # again after a restart
        notice_event(2, "checkpoint skipped"),
        epoch_event(EXPLAINER, 1, 3),
        notice_event(3, "ends white"),
    ]
    log = _read(tmp_path, events)
    assert log.guard_in(CLASSIFIER) == []
    assert log.guard_in(EXPLAINER) == [
        GuardAction(EXPLAINER, tries, "black <b>heat</b>", "went back", 0.01 / tries, 2) for tries in (1, 2)
    ]
    assert log.notices == ["checkpoint skipped", "ends white"]
    assert log.epochs_of(EXPLAINER) == 2
    assert _read(tmp_path, [*events, epoch_event(EXPLAINER, 1, 2)]).guard == []  # that epoch was trained anew


def test_black_and_white_have_panels_where_they_were_logged(tmp_path: Path):
    event = epoch_event(CLASSIFIER, 1, 1)
    event |= {"train": {}, "val": {"black": 0.25, "white": 0.5}}
    titles = [drawn.plate.title for drawn in training_figures(_read(tmp_path, [event]))]
    assert "Black pixels" in titles and "White pixels" in titles


@pytest.mark.parametrize(
    ("budget", "guarded", "words"),
    [
        (4, False, "2 of at most 4 epochs"),
        (None, False, "2 epochs"),
        (1, True, "2 epochs; the collapse guard acted 1 time"),
    ],
)
def test_epochs_of_a_phase_in_words(tmp_path: Path, budget: int | None, guarded: bool, words: str):
    recipe = small_recipe(tmp_path, EVALUATION)
    phase = recipe.phases.explainer.model_copy(update={"epochs": budget})
    recipe = recipe.model_copy(update={"phases": recipe.phases.model_copy(update={"explainer": phase})})
    log = TrainingLog()
    for event in (
        epoch_event(EXPLAINER, 1, 1),
        epoch_event(EXPLAINER, 2, 2),
        *([guard_event(EXPLAINER, 1, 2)] if guarded else []),
    ):
        log.add(event)
    assert epochs(log, recipe, EXPLAINER) == words


def test_events_of_another_kind_are_passed_over(tmp_path: Path):
    assert _read(tmp_path, [{"event": "something new"}, epoch_event(CLASSIFIER, 1, 1)]).epochs_of(CLASSIFIER) == 1


@pytest.mark.parametrize("line", ["not json", "[]", "{}", '{"event": "epoch", "phase": "classifier"}'])
def test_a_damaged_line_is_named(tmp_path: Path, line: str):
    with pytest.raises(UserError, match=r"metrics\.jsonl, line 2"):
        _read(tmp_path, [epoch_event(CLASSIFIER, 1, 1)], line + "\n")


@pytest.mark.parametrize(
    "line",
    [
        '{"event": "epoch", "phase": "classifier", "epoch": 1, "global_epoch": "x"}',
        '{"event": "epoch", "phase": "classifier", "epoch": 1, "global_epoch": null}',
        '{"event": "epoch", "phase": "classifier", "epoch": 1, "global_epoch": 1, "train": 5}',
        '{"event": "phase_end", "phase": "first", "epochs": 1, "global_epoch": 1, "reason": "x"}',
        '{"event": "guard", "phase": "explainer", "global_epoch": 1, "reason": "x", "action": "y", "tries": 0}',
        '{"event": "notice", "global_epoch": 1}',
        '{"event": ' + "[" * 100_000,
        "5",
        '{"event": "phase_end", "phase": "classifier", "epochs": 1, "global_epoch": 1, "reason": null}',
        '{"event": "epoch", "phase": "classifier", "epoch": 1, "global_epoch": 1' + "0" * 400 + "}",
        '{"event": "epoch", "phase": "classifier", "epoch": 1, "global_epoch": 1' + "0" * 9000 + "}",
        '{"event": "epoch", "phase": "classifier", "epoch": 1, "global_epoch": true}',
        '{"event": "epoch", "phase": 4, "epoch": 1, "global_epoch": 1}',
        '{"event": "epoch", "phase": "classifier", "epoch": 1, "global_epoch": 1, "train": {"total": "low"}}',
        '{"event": "epoch", "phase": "classifier", "epoch": 1, "global_epoch": 1, "seconds": 1' + "0" * 400 + "}",
        '{"event": ["epoch"]}',
        '{"event": "epoch", "phase": "classifier", "epoch": 1, "global_epoch": 1, "train": '
        + "[" * 100_000
        + "]" * 100_000
        + "}",
    ],
    ids=[
        "text",
        "null",
        "number",
        "unknown phase",
        "tries",
        "message",
        "deep",
        "bare number",
        "no reason",
        "huge",
        "too many digits",
        "truth value",
        "number for a phase",
        "text loss",
        "huge seconds",
        "list",
        "deep and well-formed",
    ],
)
def test_lines_of_the_wrong_type_are_named(tmp_path: Path, line: str):
    path = tmp_path / "metrics.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(UserError, match=r"metrics\.jsonl, line 1: .*remove"):
        read_training_log(path)


def test_the_field_at_fault_is_named(tmp_path: Path):
    with pytest.raises(UserError, match=r"metrics\.jsonl, line 2: field train\.total: .*number.*; not a line"):
        _read(tmp_path, [epoch_event(CLASSIFIER, 1, 1), epoch_event(CLASSIFIER, 2, 2) | {"train": {"total": "low"}}])


@pytest.mark.parametrize("loss", [math.inf, 1e308, -1e308])
def test_loss_that_overflows_still_draws(tmp_path: Path, loss: float):
    losses = {"train": {"total": loss}, "val": {"total": loss}}
    assert training_figures(_read(tmp_path, [epoch_event(CLASSIFIER, 1, 1) | losses, *short_log()]))


@pytest.mark.filterwarnings("error:Attempting to set identical")
def test_one_value_below_zero_has_a_scale(tmp_path: Path):
    below = {"train": {"total": 0.5}, "val": {"total": 0.5, "aopc": -0.5, "flips_above_random": -0.25}}
    assert training_figures(_read(tmp_path, [epoch_event(JOINT, 1, 1) | below]))
