"""How an interruption reaches the user."""

import signal

import pytest

from distxml.errors import UserError
from distxml.signals import Interrupted, interruptible


@pytest.mark.parametrize(("raised", "status"), [(KeyboardInterrupt(), 130), (SystemExit(signal.SIGTERM), 143)])
def test_ctrl_c_and_sigterm_are_interruptions(raised: BaseException, status: int):
    with pytest.raises(Interrupted, match="go on there") as caught, interruptible("go on there"):
        raise raised
    assert caught.value.status == status


@pytest.mark.parametrize("raised", [SystemExit(1), UserError("wrong"), OSError("full")])
def test_nothing_else_is(raised: BaseException):
    with pytest.raises(type(raised)) as caught, interruptible("go on there"):
        raise raised
    assert caught.value is raised
