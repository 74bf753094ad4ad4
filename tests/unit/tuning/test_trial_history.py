"""What a trial has come to, read from its log: also where the guard went back."""

import json
from pathlib import Path

from distxml.config.run_folder import RunFolder
from distxml.tuning.records import TrialRecord
from distxml.tuning.trial_history import run_figures


def write(run: RunFolder, *lines: tuple[str, int, int, float | None]) -> None:
    """`(event, phase, epoch, accuracy)` each."""
    run.path.mkdir(parents=True)
    with run.metrics.open("w") as file:
        for number, (event, phase, epoch, accuracy) in enumerate(lines):
            line = {"event": event, "phase": phase, "epoch": epoch, "global_epoch": number, "seconds": 2.0}
            file.write(json.dumps(line | ({} if accuracy is None else {"val": {"accuracy": accuracy}})) + "\n")


def test_epochs_that_the_guard_went_back_over_do_not_count(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    healthy = [("epoch", 3, epoch, 0.5 + epoch / 100) for epoch in (1, 2, 3)]
    write(run, ("epoch", 1, 1, 0.1), *healthy, ("epoch", 3, 4, 0.0), ("guard", 3, 2, None), ("epoch", 3, 3, 0.7))
    found = run_figures(run)
    assert found.history == {1: {"accuracy": 0.51}, 2: {"accuracy": 0.52}, 3: {"accuracy": 0.7}}
    assert found.last == {"accuracy": 0.7}
    assert found.epochs == (1, 0, 5) and found.seconds == 12, "all of them were trained"
    record = TrialRecord(number=0, settings={})
    found.fill(record)
    assert record.metrics == {"accuracy": 0.7}


def test_before_another_epoch_the_newest_healthy_one_counts(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    write(run, ("epoch", 3, 1, 0.6), ("epoch", 3, 2, 0.0), ("guard", 3, 1, None))
    assert run_figures(run).last == {"accuracy": 0.6}


def test_a_run_that_has_not_begun(tmp_path: Path) -> None:
    found = run_figures(RunFolder(tmp_path / "run"))
    assert (found.history, found.last, found.epochs, found.taken) == ({}, {}, (0, 0, 0), {})
