"""The profile: which steps a trace holds, and when there is none."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from distxml.training.speed import WAIT_STEPS, WARM_UP_STEPS, profile_steps

FIRST = WAIT_STEPS + WARM_UP_STEPS


def traced(folder: Path, asked: int | None, made: int) -> list[list[dict[str, Any]]]:
    """The events of every trace that a block of `made` steps left."""
    with profile_steps(folder, asked, 2) as profiler:
        for number in range(made):
            torch.mm(torch.ones(3 + number, 3), torch.ones(3, 3))
            profiler.step()
    return [json.loads(path.read_text())["traceEvents"] for path in sorted((folder / "profile/phase2").glob("*.json"))]


def steps_in(events: list[dict[str, Any]]) -> list[int]:
    names = {event["name"] for event in events if str(event.get("name", "")).startswith("ProfilerStep#")}
    return sorted(int(name.partition("#")[2]) for name in names)


@pytest.mark.parametrize(("asked", "made"), [(2, 12), (1, 6), (4, 8)])
def test_a_trace_holds_the_steps_after_the_warm_up(tmp_path: Path, asked: int, made: int) -> None:
    (events,) = traced(tmp_path, asked, made)
    # When the block ends early, the trace ends with the step that was never made.
    assert steps_in(events) == list(range(FIRST, FIRST + asked))[: made - FIRST + 1]
    products = [event for event in events if event.get("name") == "aten::mm"]
    assert len(products) == min(asked, made - FIRST) and all(event["dur"] > 0 for event in products)


@pytest.mark.parametrize(("asked", "made"), [(None, 12), (3, 0), (3, 2)])
def test_no_trace_where_none_was_asked_for_or_steps_are_too_few(tmp_path: Path, asked: int | None, made: int) -> None:
    assert traced(tmp_path, asked, made) == []


def test_an_error_inside_the_block_comes_out(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), profile_steps(tmp_path, 1, 1) as profiler:
        profiler.step()
        raise ZeroDivisionError
