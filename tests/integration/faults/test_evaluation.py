"""What is killed or broken while an evaluation runs, and how it resumes.

`docs/faults.md` is the table. Each test prints the seconds from the fault to the first rows that are written after it
(`pytest -rP` shows them). Every evaluation ends with the rows of one that nobody disturbed, none twice.
"""

import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.integration.faults.conftest import fill_up
from tests.integration.faults.watched_evaluation import IMAGES, PER_TASK, SETTINGS, WORKER, WatchedEvaluation
from tests.integration.ray_cluster import RayCluster
from tests.integration.small_run import write_run

pytestmark = pytest.mark.slow

TWO_WORKERS = "scaling.workers=2"
Evaluator = Callable[..., WatchedEvaluation]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, whole_cluster: RayCluster) -> WatchedEvaluation:
    """What the others must end equal to."""
    folder = tmp_path_factory.mktemp("undisturbed")
    write_run(folder, SETTINGS, IMAGES)
    evaluation = WatchedEvaluation(folder, "left alone", (TWO_WORKERS,), whole_cluster)
    evaluation.start()
    evaluation.finish()
    return evaluation


@pytest.fixture
def evaluate(tmp_path: Path) -> Iterator[Evaluator]:
    """Starts evaluations of a run of their own; what a failed test leaves of them is killed."""
    started: list[WatchedEvaluation] = []

    def start(*settings: str, disk: Path | None = None, cluster: RayCluster | None = None) -> WatchedEvaluation:
        write_run(disk or tmp_path, SETTINGS, IMAGES)
        evaluation = WatchedEvaluation(tmp_path, "evaluation", (TWO_WORKERS, *settings), cluster, disk=disk)
        started.append(evaluation)
        evaluation.start()
        return evaluation

    yield start
    for evaluation in started:
        evaluation.kill_everything()


def test_one_fault_after_the_other_on_this_machine(evaluate: Evaluator, whole: WatchedEvaluation) -> None:
    """One evaluation, with a Ray of its own in each start."""
    evaluation = evaluate()
    _a_worker_is_killed(evaluation)
    _sigterm(evaluation)
    _power_cut(evaluation)
    _the_driver_is_killed(evaluation)
    evaluation.assert_equal_to(whole)
    assert "Traceback" not in evaluation.output


def _a_worker_is_killed(evaluation: WatchedEvaluation) -> None:
    evaluation.wait_for_parts(4)
    workers, since = evaluation.descendants(WORKER), time.monotonic()
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    evaluation.wait_for_recovery("a worker killed: the other continues", since, evaluation.parts())
    evaluation.wait_until(lambda: len(set(evaluation.descendants(WORKER)) - set(workers)) == 1)
    print(f"recovery: a worker killed: there is another after {time.monotonic() - since:.0f} s")


def _sigterm(evaluation: WatchedEvaluation) -> None:
    evaluation.wait_for_parts(evaluation.parts() + 2)
    assert evaluation.signal(signal.SIGTERM) == 143, evaluation.output
    assert evaluation.descendants() == [], "workers and Ray are gone"
    last = f"distxml: interrupted; the same command resumes it: run {evaluation.run.path}"
    assert evaluation.output.splitlines()[-1] == last
    evaluation.start()


def _power_cut(evaluation: WatchedEvaluation) -> None:
    evaluation.wait_for_parts(evaluation.parts() + 2)
    since = time.monotonic()
    evaluation.kill_everything()
    before, parts = evaluation.left(), evaluation.parts()
    evaluation.start()
    evaluation.wait_for_recovery("driver, Ray and workers killed at once, then the same command", since, parts)
    evaluation.assert_found(before)


def _the_driver_is_killed(evaluation: WatchedEvaluation) -> None:
    since = time.monotonic()
    assert evaluation.signal(signal.SIGKILL) == -signal.SIGKILL
    while evaluation.descendants(WORKER):  # they finish what they are at
        time.sleep(0.1)
    print(f"driver killed: its workers are gone after {time.monotonic() - since:.0f} s")
    before, parts = evaluation.left(), evaluation.parts()
    evaluation.start()
    evaluation.wait_for_recovery("driver killed, then the same command", since, parts)
    evaluation.finish()
    evaluation.assert_took(before)


def test_one_fault_after_the_other_on_a_cluster(
    evaluate: Evaluator, whole: WatchedEvaluation, small_disk: Path, cluster: RayCluster
) -> None:
    evaluation = evaluate(disk=small_disk, cluster=cluster)
    _a_node_is_lost(evaluation, cluster)
    _the_disk_fills_up(evaluation, small_disk)
    _workers_die_again_and_again(evaluation)
    before = evaluation.left()
    cluster.add_node()
    evaluation.start()
    evaluation.finish()
    evaluation.assert_took(before)
    evaluation.assert_equal_to(whole)
    assert "Traceback" not in evaluation.output


def _a_node_is_lost(evaluation: WatchedEvaluation, cluster: RayCluster) -> None:
    """No other comes: the worker that is left goes on."""
    evaluation.wait_for_parts(2)
    since = time.monotonic()
    cluster.lose_node()
    evaluation.wait_for_recovery("a node lost: the other continues", since, evaluation.parts())


def _the_disk_fills_up(evaluation: WatchedEvaluation, disk: Path) -> None:
    filler, since = fill_up(disk), time.monotonic()
    evaluation.finish(status=2)
    filler.unlink()
    print(f"disk full: ended after {time.monotonic() - since:.0f} s")
    errors = re.findall(r"distxml: error: .*", evaluation.output)  # Ray tells of the lost node beside it
    assert len(errors) == 1 and "cannot be written (No space left on device)" in errors[0], evaluation.output
    before = evaluation.left()
    assert before.finished.damaged == () and before.finished.pairs


def _workers_die_again_and_again(evaluation: WatchedEvaluation) -> None:
    """As they do where there is too little memory: while they load the model, and at a task."""
    for at, named in ((WORKER, "loading the model"), (PER_TASK, r"image image-\d+.*\)")):
        evaluation.start("scaling.max_failures=1", "scaling.workers=1")
        _ends_as_workers_die(evaluation, at, named)


def _ends_as_workers_die(evaluation: WatchedEvaluation, at: str, named: str) -> None:
    assert evaluation.process is not None
    printed_before = len(evaluation.output)
    while evaluation.process.poll() is None:
        for pid in evaluation.descendants(at):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    assert evaluation.process.returncode == 2, evaluation.output
    printed = evaluation.output[printed_before:]  # Ray's words on a killed process may stand before ours, on one line
    assert printed.count("note: a worker died; another replaces it and does its task again\n") == 1, printed
    ending = rf"distxml: error: {named}: 2 workers died, more than scaling\.max_failures=1 allows; "
    assert len(re.findall(ending, printed)) == 1, printed


def test_a_copy_of_the_rows_goes_with_the_run(whole: WatchedEvaluation, tmp_path: Path, cluster: RayCluster) -> None:
    """What was finished elsewhere is taken: here all of it, by a driver that starts no worker."""
    write_run(tmp_path, SETTINGS, IMAGES)
    shutil.copytree(whole.run.evaluation_rows, tmp_path / "run" / whole.run.evaluation_rows.name)
    evaluation = WatchedEvaluation(tmp_path, "copy", cluster=cluster)
    evaluation.start()
    evaluation.finish()
    assert f"note: {IMAGES * 3} of {IMAGES * 3} heatmaps" in evaluation.output
    evaluation.assert_equal_to(whole)
