"""A log that is followed: what is new, once; all of it again where it was replaced."""

import json
from pathlib import Path

from distxml.monitoring.metrics_tail import MetricsTail


def line(epoch: int) -> str:
    return json.dumps({"event": "epoch", "global_epoch": epoch}) + "\n"


def numbers(tail: MetricsTail) -> tuple[list[int], bool]:
    events, is_another = tail.read()
    return [event["global_epoch"] for event in events], is_another


def test_only_what_is_new_is_read_and_a_line_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    tail = MetricsTail(path)
    assert numbers(tail) == ([], False), "no file yet"
    path.write_text(line(1) + line(2) + line(3)[:9])
    assert numbers(tail) == ([1, 2], False)
    with path.open("a") as file:
        file.write(line(3)[9:] + "damaged\n" + line(4))
    assert numbers(tail) == ([3, 4], False)
    before = tail.bytes_read
    assert numbers(tail) == ([], False)
    assert tail.bytes_read - before == len(line(4)), "the last line is compared, nothing else"


def test_another_log_under_the_same_name_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text(line(1) + line(2))
    tail = MetricsTail(path)
    assert numbers(tail) == ([1, 2], False)
    path.write_text(line(1) + line(5) + line(6))  # longer, and the system knows it by the same number
    assert numbers(tail) == ([1, 5, 6], True)
    (tmp_path / "fresh").write_text(line(1) + line(5))
    (tmp_path / "fresh").rename(path)
    assert numbers(tail) == ([1, 5], True)
    path.write_text("")
    assert numbers(tail) == ([], True)
    path.unlink()
    assert numbers(tail) == ([], False)
