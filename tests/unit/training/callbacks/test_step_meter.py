"""The meter: what it says of an epoch whose times and norms are known."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from distxml.data.batch import Batch
from distxml.training.callbacks.memory import peak_memory
from distxml.training.callbacks.step_meter import StepMeter
from distxml.training.epoch import timed
from tests.unit.training.callbacks.epochs import A_STEP, EPOCH_IMAGES, EPOCH_STEPS, a_step, an_epoch


def batches(number: int, seconds: float) -> Iterator[Batch]:
    nothing = torch.zeros(0)
    for _ in range(number):
        time.sleep(seconds)
        yield Batch(nothing, nothing, nothing, nothing, (), nothing)
    time.sleep(0.2)  # a loader that takes its time to end


def started() -> StepMeter:
    meter = StepMeter()
    meter.on_epoch_start(an_epoch())
    return meter


@given(st.lists(st.floats(0, 1e6, width=32), min_size=1))
def test_norm_is_the_mean_over_the_steps(norms: list[float]) -> None:
    meter = StepMeter()
    for number, norm in enumerate(norms, start=1):
        meter.on_step(number, a_step(norm))
    assert meter.pace()["gradient_norm"] == pytest.approx(sum(norms) / len(norms))


def test_the_sum_of_many_norms_does_not_stall() -> None:
    meter = StepMeter()
    meter.on_step(1, a_step(2.0**24))
    for number in range(1000):
        meter.on_step(2 + number, A_STEP)  # in float32, 2**24 + 1 is 2**24
    assert meter.pace()["gradient_norm"] == pytest.approx((2**24 + 1000) / 1001, rel=1e-12)


def test_time_of_steps_and_share_of_waiting() -> None:
    begin = time.monotonic()
    whole = 0.0
    meter = started()
    for number, _ in enumerate(timed(batches(4, 0.03), meter.on_batch), start=1):
        time.sleep(0.02)
        meter.on_step(number, A_STEP)
        whole = time.monotonic() - begin
    time.sleep(0.1)  # validation
    pace = meter.pace()
    assert 4 * (0.03 + 0.02) <= 4 * pace["step_seconds"] <= whole
    assert 4 * 0.03 <= pace["data_wait"] * 4 * pace["step_seconds"] <= whole - 4 * 0.02
    assert pace["images_per_second"] == pytest.approx(EPOCH_IMAGES / EPOCH_STEPS / pace["step_seconds"])


def test_the_wrapper_changes_nothing() -> None:
    given_batches = list(batches(3, 0))
    seen = list(timed(iter(given_batches), StepMeter().on_batch))
    assert all(a is b for a, b in zip(seen, given_batches, strict=True))


def test_each_epoch_is_measured_anew_and_offered_to_other_callbacks() -> None:
    meter, epoch = started(), an_epoch()
    assert meter.pace() == {}, "nothing before the first step"
    meter.on_step(1, a_step(5.0))
    meter.on_epoch_start(epoch)
    assert epoch.measured() == {}
    meter.on_step(1, a_step(7.0))
    assert epoch.measured()["gradient_norm"] == 7.0


def test_memory_is_the_peak_of_this_process() -> None:
    used = peak_memory()
    status = Path("/proc/self/status").read_text()
    peak_kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    assert 0.9 < used["resident_mb"] / (peak_kib * 1024 / 1e6) < 2  # getrusage may count the process that started us
    assert ("gpu_mb" in used) == torch.cuda.is_initialized()
