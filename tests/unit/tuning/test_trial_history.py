"""What a trial has come to, read from its log: also where the guard went back, and without reading anything twice."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.tuning.leaderboard import Leaderboard
from distxml.tuning.objective import Objective
from distxml.tuning.plan import SweepPlan
from distxml.tuning.records import SweepFolder, TrialRecord
from distxml.tuning.trial_history import TrialHistory
from distxml.tuning.trials import TrialManager
from tests.unit.tuning.small_sweep import base_recipe, small_sweep

Line = tuple[str, PhaseName, int, float | None]
"""`(event, phase, epoch, accuracy)`."""

CLASSIFIER, EXPLAINER, JOINT = PhaseName


def as_text(*lines: Line) -> str:
    text = ""
    for number, (event, phase, epoch, accuracy) in enumerate(lines):
        line = {"event": event, "phase": phase, "epoch": epoch, "global_epoch": number, "seconds": 2.0}
        text += json.dumps(line | ({} if accuracy is None else {"val": {"accuracy": accuracy}})) + "\n"
    return text


def write(run: RunFolder, *lines: Line) -> None:
    run.path.mkdir(parents=True, exist_ok=True)
    run.metrics.write_text(as_text(*lines))


def read(run: RunFolder) -> TrialHistory:
    return TrialHistory(run).update()


def content(history: TrialHistory) -> tuple[object, ...]:
    return history.scored, history.epochs, history.seconds, history.last


def test_epochs_that_the_guard_went_back_over_do_not_count(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    healthy = [("epoch", JOINT, epoch, 0.5 + epoch / 100) for epoch in (1, 2, 3)]
    write(
        run,
        ("epoch", CLASSIFIER, 1, 0.1),
        *healthy,
        ("epoch", JOINT, 4, 0.0),
        ("guard", JOINT, 2, None),
        ("epoch", JOINT, 3, 0.7),
    )
    found = read(run)
    assert found.scored == {1: {"accuracy": 0.51}, 2: {"accuracy": 0.52}, 3: {"accuracy": 0.7}}
    assert found.last == (3, {"accuracy": 0.7})
    assert found.epochs == {CLASSIFIER: 1, EXPLAINER: 0, JOINT: 5} and found.seconds == 12, "all of them were trained"
    record = TrialRecord(number=0, settings={})
    found.fill(record)
    assert record.metrics == {"accuracy": 0.7}


def test_before_another_epoch_the_newest_healthy_one_counts(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    write(run, ("epoch", JOINT, 1, 0.6), ("epoch", JOINT, 2, 0.0), ("guard", JOINT, 1, None))
    assert read(run).last == (1, {"accuracy": 0.6})


def test_a_run_that_has_not_begun(tmp_path: Path) -> None:
    found = read(RunFolder(tmp_path / "run"))
    assert (found.scored, found.last, found.epochs, found.taken) == ({}, (0, {}), dict.fromkeys(PhaseName, 0), {})


EVENTS = st.one_of(
    st.tuples(st.just("epoch"), st.sampled_from(PhaseName), st.integers(1, 9), st.floats(0, 1)),
    st.tuples(st.just("guard"), st.sampled_from(PhaseName), st.integers(0, 9), st.none()),
    st.tuples(st.just("phase_end"), st.sampled_from(PhaseName), st.integers(1, 9), st.none()),
)


@given(st.lists(EVENTS, max_size=30), st.lists(st.integers(1, 200), max_size=40))
def test_bit_by_bit_it_is_the_same_as_read_whole(
    tmp_path_factory: pytest.TempPathFactory, events: list[Line], bits: list[int]
) -> None:
    run = RunFolder(tmp_path_factory.mktemp("run"))
    text, followed = as_text(*events).encode(), TrialHistory(run)
    with run.metrics.open("wb") as file:
        for bit in [*bits, len(text)]:  # lines are cut anywhere
            file.write(text[file.tell() : file.tell() + bit])
            file.flush()
            assert content(followed.update()) == content(read(run))


@pytest.mark.parametrize("replace", [True, False], ids=["replaced", "rewritten"])
@pytest.mark.parametrize("longer", [True, False])
def test_a_log_that_is_written_anew_is_read_anew(tmp_path: Path, replace: bool, longer: bool) -> None:
    """As `forget_after` and taking a shared phase do; without replacing, the file keeps its number."""
    run = RunFolder(tmp_path / "run")
    write(run, *[("epoch", JOINT, epoch, 0.5) for epoch in range(1, 6)])
    history = read(run)
    kept = [("epoch", JOINT, epoch, 0.6) for epoch in range(1, 9 if longer else 3)]
    if replace:
        (run.path / "fresh").write_text(as_text(*kept))
        (run.path / "fresh").rename(run.metrics)
    else:
        write(run, *kept)
    assert content(history.update()) == content(read(run))
    assert history.epochs == {CLASSIFIER: 0, EXPLAINER: 0, JOINT: len(kept)}
    run.metrics.unlink()
    assert history.update().scored == {} and history.epochs == dict.fromkeys(PhaseName, 0)


def test_the_manager_reads_each_line_of_a_log_once(tmp_path: Path) -> None:
    sweep, base = small_sweep(), base_recipe(tmp_path)
    board = Leaderboard(Objective(sweep.objective), 6)
    manager = TrialManager(SweepFolder(tmp_path / "sweep"), base, SweepPlan(sweep, base, []), board)
    assert manager.next() == 0
    run, epochs = manager.folder.run(0), 50
    lines: list[Line] = [("epoch", JOINT, epoch, epoch / epochs) for epoch in range(1, epochs + 1)]
    for epoch in range(1, epochs + 1):
        write(run, *lines[:epoch])
        manager.report(0, {"phase": JOINT, "epoch": epoch})
        assert manager.record(0).metrics == {"accuracy": epoch / epochs}
    size = run.metrics.stat().st_size
    read_again = epochs * len(as_text(lines[-1]))  # the last line is compared
    assert manager.history(0)._tail.bytes_read <= size + read_again + len(as_text(lines[-1]))
