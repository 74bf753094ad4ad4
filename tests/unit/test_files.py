"""Files and folders that appear whole or not at all, whatever goes wrong on the way."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from distxml import files
from distxml.files import (
    append,
    copy_folder,
    empty_folder,
    give_name,
    is_unfinished,
    new_folder,
    present_folder,
    published_together,
    remove_folder,
    remove_unfinished,
    whole_file,
    whole_folder,
    write_whole,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class Killed(BaseException):
    """Stands for a process that ends where it is: what runs after it must not run."""


@contextmanager
def a_kill_at_rename(number: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process ends instead of renaming once more: previous aside, last to previous, the new one to last."""
    left = iter(range(number))

    def spare(kept):
        def call(*arguments, **keywords):
            if next(left, None) is None:
                raise Killed
            return kept(*arguments, **keywords)

        return call

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Path, "rename", spare(Path.rename))
        patch.setattr(files, "_remove", lambda path: None)  # nor does it clear up
        yield


def put(folder: Path, text: str) -> None:
    write_whole(folder / "a", text)


@pytest.mark.parametrize("content", ["é\n", b"\x00\xff"])
def test_a_file_is_written_and_replaced(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "a"
    path.write_text("earlier")
    write_whole(path, content)
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert names(tmp_path) == ["a"]


def test_a_file_that_is_not_written_to_its_end_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("earlier")
    with pytest.raises(OSError, match="full"), whole_file(path) as file:
        file.write(b"half")
        raise OSError("full")
    assert path.read_text() == "earlier"
    assert names(tmp_path) == ["a"]


def test_two_writers_of_the_same_file_do_not_mix(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a") as first:
        first.write(b"fi")
        write_whole(tmp_path / "a", "second")
        assert (tmp_path / "a").read_text() == "second"
        first.write(b"rst")
    assert (tmp_path / "a").read_text() == "first"


@pytest.mark.parametrize("write", [lambda path: write_whole(path, "x"), lambda path: append(path, "x")])
def test_file_and_name_are_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write) -> None:
    flushed: list[int] = []
    fsync = os.fsync

    def note(handle: int) -> None:
        flushed.append(os.fstat(handle).st_ino)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", note)
    write(tmp_path / "a")
    assert flushed == [(tmp_path / "a").stat().st_ino, tmp_path.stat().st_ino]


def test_everything_in_a_folder_is_flushed_before_it_has_its_name(tmp_path: Path, monkeypatch) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda handle: flushed.append(os.fstat(handle).st_ino))
    with whole_folder(tmp_path / "new") as fresh:
        (fresh / "deep").mkdir()
        (fresh / "deep" / "a").write_text("x")
    for path in (tmp_path / "new" / "deep" / "a", tmp_path / "new" / "deep", tmp_path / "new", tmp_path):
        assert path.stat().st_ino in flushed


def test_append_adds_and_makes_the_file(tmp_path: Path) -> None:
    append(tmp_path / "log", "one\n")
    append(tmp_path / "log", "two\n")
    assert (tmp_path / "log").read_text() == "one\ntwo\n"


def test_a_folder_appears_and_replaces(tmp_path: Path) -> None:
    for text in ("one", "two"):
        with whole_folder(tmp_path / "deep" / "last", keep_as=tmp_path / "deep" / "previous") as fresh:
            assert fresh.parent == tmp_path / "deep"  # the same disk
            put(fresh, text)
    assert (tmp_path / "deep/last/a").read_text() == "two"
    assert (tmp_path / "deep/previous/a").read_text() == "one"
    assert names(tmp_path / "deep") == ["last", "previous"]


def test_a_folder_that_is_not_written_to_its_end_changes_nothing(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "last") as fresh:
        put(fresh, "one")
    with pytest.raises(OSError, match="full"), whole_folder(tmp_path / "last", tmp_path / "previous") as fresh:
        put(fresh, "two")
        raise OSError("full")
    assert (tmp_path / "last/a").read_text() == "one"
    assert names(tmp_path) == ["last"]


def test_a_folder_that_cannot_get_its_name_leaves_the_one_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    last, previous, rename = tmp_path / "last", tmp_path / "previous", Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if is_unfinished(path):
            raise OSError("full")
        return rename(path, target)

    with whole_folder(last, previous) as fresh:
        put(fresh, "one")
    with monkeypatch.context() as patch, pytest.raises(OSError, match="full"), whole_folder(last, previous) as fresh:
        put(fresh, "two")
        patch.setattr(Path, "rename", refuse)
    assert (last / "a").read_text() == "one"
    assert names(tmp_path) == ["last"]


@pytest.mark.parametrize("renames", range(3))
def test_a_kill_at_any_rename_leaves_a_whole_folder_and_the_next_one_clears_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    last, previous = tmp_path / "last", tmp_path / "previous"
    for text in ("one", "two"):
        with whole_folder(last, previous) as fresh:
            put(fresh, text)
    with a_kill_at_rename(renames, monkeypatch), whole_folder(last, previous) as fresh:
        put(fresh, "three")
    present = [present_folder(path) for path in (last, previous)]
    texts = [(path / "a").read_text() for path in present if path.exists()]
    assert texts in (["two", "one"], ["two"])
    remove_unfinished(tmp_path)
    with whole_folder(last, previous) as fresh:
        put(fresh, "four")
    assert (last / "a").read_text() == "four"
    assert names(tmp_path) == ["last", "previous"]


def test_a_new_folder_never_replaces(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError), new_folder(tmp_path / "entry") as fresh:
        put(fresh, "slow")
        with new_folder(tmp_path / "entry") as other:
            put(other, "fast")
    assert (tmp_path / "entry/a").read_text() == "fast"
    assert names(tmp_path) == ["entry"]


def test_a_name_is_not_given_twice(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        put(tmp_path / name, name)
    with pytest.raises(FileExistsError):
        give_name(tmp_path / "one", tmp_path / "two")
    give_name(tmp_path / "one", tmp_path / "three")
    assert names(tmp_path) == ["three", "two"]


def test_a_copy_shares_the_files_and_replaces(tmp_path: Path) -> None:
    for name in ("source", "target"):
        (tmp_path / name).mkdir()
        put(tmp_path / name, name)
    copy_folder(tmp_path / "source", tmp_path / "target")
    assert (tmp_path / "target/a").samefile(tmp_path / "source/a")


def test_a_copy_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: str, target: str) -> None:
        raise PermissionError(source, target)

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "source").mkdir()
    put(tmp_path / "source", "x")
    copy_folder(tmp_path / "source", tmp_path / "target")
    assert (tmp_path / "target/a").read_text() == "x"


def test_a_folder_is_removed_once(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    put(tmp_path / "one", "x")
    remove_folder(tmp_path / "one")
    remove_folder(tmp_path / "one")
    assert names(tmp_path) == []


def test_emptying_keeps_what_it_is_told_to_and_does_not_follow_links(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    for folder in (precious, tmp_path / "full" / "deep"):
        folder.mkdir(parents=True)
        put(folder, "x")
    put(tmp_path / "full", "kept")
    (tmp_path / "full" / "link").symlink_to(precious)
    empty_folder(tmp_path / "full", keep=[tmp_path / "full" / "a"])
    assert names(tmp_path / "full") == ["a"] and names(precious) == ["a"]


def test_what_is_unfinished_is_removed_by_name(tmp_path: Path) -> None:
    for name in (".a.1.unfinished", ".b.1.unfinished"):
        (tmp_path / name).mkdir()
        assert is_unfinished(tmp_path / name)
    (tmp_path / ".a.2.unfinished").write_text("half")
    write_whole(tmp_path / "a", "x")
    remove_unfinished(tmp_path, "a")
    assert names(tmp_path) == [".b.1.unfinished", "a"]


def test_files_published_together_or_not_at_all(tmp_path: Path) -> None:
    with published_together(tmp_path / "out", "list") as fresh:
        for name in ("a", "b", "list"):
            write_whole(fresh / name, "one")
    with pytest.raises(OSError, match="full"), published_together(tmp_path / "out", "list", ["b"]) as fresh:
        write_whole(fresh / "a", "two")
        raise OSError("full")
    assert {path.read_text() for path in (tmp_path / "out").iterdir()} == {"one"}
    with published_together(tmp_path / "out", "list", ["b"]) as fresh:
        for name in ("a", "list"):
            write_whole(fresh / name, "two")
    assert names(tmp_path / "out") == ["a", "list"]
    assert {path.read_text() for path in (tmp_path / "out").iterdir()} == {"two"}
