import os

import pytest

from distxml.errors import UserError
from distxml.sources.building.workers import workers


@pytest.mark.slow
def test_all_results_come_whatever_the_number_of_processes() -> None:
    for number in (1, 2):
        with workers(number) as processes:
            assert sorted(processes.results(abs, range(-20, 0))) == list(range(1, 21))
            assert sorted(processes.results(str, range(3))) == ["0", "1", "2"]
            assert list(processes.results(abs, [])) == []


@pytest.mark.slow
def test_an_error_in_a_process_is_raised_here() -> None:
    with workers(2) as processes, pytest.raises(ValueError, match="invalid literal"):
        list(processes.results(int, ["1", "2", "x", "4"]))


@pytest.mark.slow
def test_a_process_that_dies_is_one_line_with_a_remedy() -> None:
    with workers(2) as processes, pytest.raises(UserError, match=r"a process of the build died.*--workers"):
        list(processes.results(os._exit, [3, 3, 3]))
