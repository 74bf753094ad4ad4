"""Putting results in their place when something goes wrong half way."""

from pathlib import Path

import pytest

from distxml.errors import UserError
from distxml.evaluation.prepare import require_writable
from distxml.evaluation.results import load_summary, store
from distxml.files import is_unfinished, remove_unfinished
from tests.unit.evaluation.made_evaluation import make_results

RESULTS, OTHER = make_results(), make_results(seed=1)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_evaluation_left_is_cleaned_up(tmp_path: Path):
    for leftover in (".evaluation.0123.unfinished", "evaluation.old"):
        (tmp_path / leftover).mkdir()
        (tmp_path / leftover / "images.parquet").write_text("half")
    remove_unfinished(tmp_path, "evaluation")
    store(RESULTS, tmp_path / "evaluation")
    assert names(tmp_path) == ["evaluation"]


def test_a_disk_that_refuses_is_the_users_to_mend(tmp_path: Path):
    (tmp_path / "run").write_text("a file where the run's folder belongs")
    with pytest.raises(UserError, match=r"evaluation: cannot be written \(Not a directory\); make room"):
        store(RESULTS, tmp_path / "run/evaluation")


def test_earlier_results_are_put_back_when_the_new_ones_cannot_take_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "evaluation"
    store(RESULTS, folder)
    rename = Path.rename

    def refuse_the_new(source: Path, target: Path) -> Path:
        if is_unfinished(source):
            raise OSError(28, "No space left on device")
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", refuse_the_new)
    with pytest.raises(UserError, match=r"No space left on device"):
        store(OTHER, folder)
    assert load_summary(folder) == RESULTS.summary != OTHER.summary
    assert names(tmp_path) == ["evaluation"]


def test_earlier_results_come_back_after_a_kill_between_the_two_renames(tmp_path: Path, monkeypatch):
    folder = tmp_path / "evaluation"
    store(RESULTS, folder)
    folder.rename(tmp_path / "evaluation.old")
    monkeypatch.setattr("distxml.evaluation.results._write", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(UserError, match="disk full"):
        store(OTHER, folder)
    assert load_summary(folder) == RESULTS.summary != OTHER.summary


def test_a_file_in_the_place_of_the_results_is_refused_before_the_work(tmp_path: Path):
    (tmp_path / "evaluation").write_text("")
    with pytest.raises(UserError, match="is a file where the results belong"):
        require_writable(tmp_path / "evaluation")
