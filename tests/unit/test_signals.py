"""How Ctrl-C and SIGTERM stop a command."""

import os
import signal

import pytest

from distxml.errors import UserError
from distxml.signals import Interrupted, StopRequest, interruptible, stop_requests


@pytest.mark.parametrize(("raised", "status"), [(KeyboardInterrupt(), 130), (SystemExit(signal.SIGTERM), 143)])
def test_ctrl_c_and_sigterm_are_interruptions(raised: BaseException, status: int):
    with pytest.raises(Interrupted, match="resume there") as caught, interruptible("resume there"):
        raise raised
    assert caught.value.status == status


@pytest.mark.parametrize("raised", [SystemExit(1), UserError("wrong"), OSError("full")])
def test_nothing_else_is(raised: BaseException):
    with pytest.raises(type(raised)) as caught, interruptible("resume there"):
        raise raised
    assert caught.value is raised


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_has_its_usual_effect(number: signal.Signals) -> None:
    usual: list[int] = []
    before = signal.signal(number, lambda caught, _frame: usual.append(caught))
    try:
        with stop_requests() as stop:
            ended: list[int] = []
            stop.ended_by(lambda: ended.append(stop.signal))
            assert not stop.signal and not ended
            os.kill(os.getpid(), number)
            assert stop.signal == number and ended == [number] and not usual
            os.kill(os.getpid(), number)
            assert usual == [number] and ended == [number]
    finally:
        signal.signal(number, before)


def test_handlers_are_as_before_when_nobody_asked() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stop_requests():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_is_asked_for_before_the_run_can_be_ended_ends_it_at_once() -> None:
    stop, ended = StopRequest(), []
    stop.ask(signal.SIGINT)
    stop.ended_by(lambda: ended.append("now"))
    assert ended == ["now"]
