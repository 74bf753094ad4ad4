"""The meter: what it says of an epoch whose times and norms are known."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from distxml.data.batch import Batch
from distxml.training.speed import StepMeter, memory, timed


def batches(number: int, seconds: float) -> Iterator[Batch]:
    nothing = torch.zeros(0)
    for _ in range(number):
        time.sleep(seconds)
        yield Batch(nothing, nothing, nothing, nothing, (), nothing)
    time.sleep(0.2)  # a loader that takes its time to end


@given(st.lists(st.floats(0, 1e6, width=32), min_size=1), st.booleans())
def test_norm_is_the_mean_over_the_steps(norms: list[float], as_tensors: bool) -> None:
    meter = StepMeter()
    for norm in norms:
        meter.step(torch.tensor(norm, requires_grad=True) if as_tensors else norm)
    assert meter.gradient_norm == pytest.approx(sum(norms) / len(norms))
    assert meter.steps == len(norms)


def test_the_sum_of_many_norms_does_not_stall() -> None:
    meter = StepMeter()
    meter.step(torch.tensor(2.0**24))
    for _ in range(1000):
        meter.step(torch.tensor(1.0))  # in float32, 2**24 + 1 is 2**24
    assert meter.gradient_norm == pytest.approx((2**24 + 1000) / 1001, rel=1e-12)


def test_time_of_steps_and_share_of_waiting() -> None:
    begin = time.monotonic()
    whole = 0.0
    meter = StepMeter()
    for _ in timed(batches(4, 0.03), meter):
        time.sleep(0.02)
        meter.step(1.0)
        whole = time.monotonic() - begin
    time.sleep(0.1)  # validation
    assert 4 * (0.03 + 0.02) <= 4 * meter.step_seconds <= whole
    assert 4 * 0.03 <= meter.data_wait * 4 * meter.step_seconds <= whole - 4 * 0.02
    assert meter.per_second(8) == pytest.approx(8 / meter.step_seconds)


def test_the_wrapper_changes_nothing() -> None:
    meter = StepMeter()
    given_batches = list(batches(3, 0))
    seen = list(timed(iter(given_batches), meter))
    assert all(a is b for a, b in zip(seen, given_batches, strict=True))


def test_before_the_first_step_all_is_zero() -> None:
    meter = StepMeter()
    assert (meter.data_wait, meter.step_seconds, meter.gradient_norm, meter.per_second(8)) == (0, 0, 0, 0)


def test_memory_is_the_peak_of_this_process() -> None:
    used = memory()
    status = Path("/proc/self/status").read_text()
    peak_kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    assert 0.9 < used["resident_mb"] / (peak_kib * 1024 / 1e6) < 2  # getrusage may count the process that started us
    assert ("gpu_mb" in used) == torch.cuda.is_initialized()
