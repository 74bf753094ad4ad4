"""Every hook of `Callback` reaches every callback of the list, in its order."""

import inspect
from typing import Any

import pytest

from distxml.training.callbacks.base import Callback, Callbacks

HOOKS = [name for name in vars(Callback) if name.startswith("on_")]


class Recorder(Callback):
    """Notes which hooks it was called with, and by whom."""

    def __init__(self, name: str, calls: list[tuple[Any, ...]]) -> None:
        self._name, self._calls = name, calls

    def __getattribute__(self, hook: str) -> Any:
        if hook not in HOOKS:
            return super().__getattribute__(hook)
        return lambda *values: self._calls.append((self._name, hook, *values))


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_reaches_all_callbacks(hook: str) -> None:
    calls: list[tuple[Any, ...]] = []
    callbacks = Callbacks((Recorder("first", calls), Recorder("second", calls)))
    values = [object() for _ in inspect.signature(getattr(callbacks, hook)).parameters]
    getattr(callbacks, hook)(*values)
    assert calls == [("first", hook, *values), ("second", hook, *values)]


@pytest.mark.parametrize("hook", HOOKS)
def test_a_callback_that_overrides_nothing_does_nothing(hook: str) -> None:
    parameters = inspect.signature(getattr(Callback(), hook)).parameters
    assert getattr(Callback(), hook)(*parameters) is None
