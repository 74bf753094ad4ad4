"""Progress in forward passes, on a terminal and elsewhere."""

import io

import pytest
from rich.console import Console

from distxml.cli.pass_progress import PassProgress


def test_off_a_terminal_it_is_ten_lines_with_the_time_left():
    text = io.StringIO()
    with PassProgress("evaluating", Console(file=text)) as progress:
        for done in range(10, 2001, 10):
            progress.show(done, 2000)
    lines = text.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[0] == "evaluating: 200 of 2,000 forward passes, about 0 s left", "the first ones were 10"
    assert lines[-1] == "evaluating: 2,000 of 2,000 forward passes"


def test_the_time_left_is_by_the_pace_since_the_first_ones(monkeypatch: pytest.MonkeyPatch):
    """Ray and its workers start before."""
    now = iter([1000.0, 1010.0, 1020.0])
    text = io.StringIO()
    with PassProgress("evaluating", Console(file=text)) as progress:
        monkeypatch.setattr("time.monotonic", lambda: next(now))
        progress.show(200, 2000)
        progress.show(400, 2000)
        monkeypatch.undo()
    assert text.getvalue().splitlines() == [
        "evaluating: 200 of 2,000 forward passes",
        "evaluating: 400 of 2,000 forward passes, about 1 min 20 s left",
    ]


def test_a_few_large_steps_are_a_line_each():
    text = io.StringIO()
    with PassProgress("evaluating", Console(file=text)) as progress:
        for done in (1, 450, 460, 1000):
            progress.show(done, 1000)
    assert [line.split(" forward")[0] for line in text.getvalue().splitlines()] == [
        "evaluating: 450 of 1,000",
        "evaluating: 1,000 of 1,000",
    ]


def test_what_the_user_should_know_is_a_line_of_its_own():
    text = io.StringIO()
    with PassProgress("evaluating", Console(file=text, width=40)) as progress:
        progress.say("/a/long/path/[with]/brackets/that/is/wider/than/the/terminal is damaged")
    assert text.getvalue() == "note: /a/long/path/[with]/brackets/that/is/wider/than/the/terminal is damaged\n"


def test_on_a_terminal_it_is_a_bar_that_vanishes():
    text = io.StringIO()
    with PassProgress("evaluating", Console(file=text, force_terminal=True, width=100)) as progress:
        progress.show(500, 1000)
        progress.say("half of it")
    assert "forward passes" in text.getvalue() and "note: half of it" in text.getvalue()
    assert "evaluating: 500" not in text.getvalue(), "no lines beside the bar"
