"""A store's calls: tried for a while and never in silence, refused where that is of no use; places and their names."""

from collections.abc import Callable
from pathlib import Path

import pytest

from distxml.config.locations import absolute, joined
from distxml.errors import InfrastructureError, UserError
from distxml.storage import patience
from distxml.storage.beside import place_beside, run_beside
from distxml.storage.files import Store, open_store
from distxml.storage.parts import DiskParts, Parts, StoredParts
from distxml.storage.patience import Patience
from distxml.storage.stored_run import StoredRun


def failing(*errors: Exception) -> Callable[[], str]:
    """Raises these one after the other, then answers."""
    left = list(errors)

    def call() -> str:
        if left:
            raise left.pop(0)
        return "answer"

    return call


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "MIN_PAUSE", 0.01)


@pytest.mark.usefixtures("no_pauses")
def test_a_failure_that_passes_is_told_once_and_costs_only_time() -> None:
    told: list[str] = []
    assert Patience(5, told.append).ask("s3://b/x", failing(OSError("down"), OSError("still down"))) == "answer"
    assert told[0] == "s3://b/x: down; trying again for 5 s"
    assert len(told) == 2 and told[1].startswith("s3://b/x: answers again after")


@pytest.mark.usefixtures("no_pauses")
def test_a_failure_that_lasts_ends_in_one_line() -> None:
    told: list[str] = []
    with pytest.raises(InfrastructureError) as error:
        Patience(0.1, told.append).ask("s3://b/x", failing(*[OSError("down")] * 50))
    assert str(error.value) == "s3://b/x: the store does not do it (down); once it does, the same command resumes"
    assert len(told) == 1


def test_what_a_store_refuses_is_not_tried_again() -> None:
    told: list[str] = []
    refused = failing(OSError("AWS Error NO_SUCH_BUCKET during PutObject operation: gone (Request ID: 1)"))
    with pytest.raises(InfrastructureError, match=r"\(AWS Error NO_SUCH_BUCKET during PutObject operation: gone\)"):
        Patience(60, told.append).ask("s3://b/x", refused)
    with pytest.raises(FileNotFoundError):
        Patience(60, told.append).ask("s3://b/x", failing(FileNotFoundError("x")))
    assert told == []


def test_silence_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "SECONDS_OF_SILENCE", 0.0)
    told: list[str] = []

    def slow() -> None:
        while not told:
            pass

    Patience(1, told.append).ask("s3://b/x", slow)
    assert told == ["s3://b/x: no answer for 0 s; still waiting"]


@pytest.mark.parametrize("scheme", ["file", "memory"])
def test_what_is_put_is_got_listed_and_deleted(scheme: str, tmp_path: Path) -> None:
    store = open_store(f"{scheme}://{tmp_path}/bucket")
    assert store.names() == store.names("a") == {}
    store.put("a/one", b"1")
    (tmp_path / "file").write_bytes(b"22")
    store.put("a/b/two", tmp_path / "file")
    store.put("ab", b"")
    assert store.names() == {"a/one": 1, "a/b/two": 2, "ab": 0} and store.names("a") == {"a/one": 1, "a/b/two": 2}
    assert store.get("a/b/two") == b"22"
    store.put("a/one", b"3")
    store.download("a/one", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"3"
    store.delete(["a/one", "a/one", "never"])
    with pytest.raises(FileNotFoundError):
        store.get("a/one")
    store.delete_folder("a/b")
    store.delete_folder("never")
    assert store.names() == {"ab": 0}
    store.require_writable()
    assert store.names() == {"ab": 0}


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("nowhere://x", "no file system for it (Protocol not known: nowhere)"),
        ("https://x/y", "https:// can only be read"),
        ("s3:///x", "no file system for it"),
    ],
)
def test_what_cannot_be_written_is_refused_in_one_line(uri: str, reason: str) -> None:
    with pytest.raises(UserError) as error:
        open_store(uri)
    assert str(error.value).startswith(f"{uri}: {reason}") and "\n" not in str(error.value)


def test_places_are_joined_and_stay_what_they_are() -> None:
    assert joined("s3://b/runs/", "x") == "s3://b/runs/x"
    assert joined("s3://b?endpoint_override=http://h:1", "x") == "s3://b/x?endpoint_override=http://h:1"
    assert joined("s3://", "x") == "s3:///x", "no bucket, and no path of this machine either"
    assert joined("runs", "x") == "runs/x"
    assert absolute("s3://b/runs") == "s3://b/runs"


def test_runs_name_each_other_by_where_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTXML_STAGING", str(tmp_path / "staging"))
    one, two = (StoredRun(tmp_path, open_store(f"memory://runs/{name}?a=b")) for name in ("one", "two"))
    assert place_beside(two, one) == "../two"
    with run_beside(one, "../two") as found:
        assert str(found) == str(two)
    elsewhere = StoredRun(tmp_path, open_store(f"file://{tmp_path}/three"))
    assert place_beside(elsewhere, one) == str(elsewhere)
    with run_beside(one, str(elsewhere)) as found:
        assert str(found) == str(elsewhere)


@pytest.mark.parametrize("kind", ["disk", "store"])
def test_parts_are_added_by_many_and_read_by_one(kind: str, tmp_path: Path) -> None:
    parts: Parts = DiskParts(tmp_path / "parts") if kind == "disk" else StoredParts(f"file://{tmp_path}/parts")
    assert parts.names() == []
    parts.prepare()
    for number in range(20):
        parts.write(f"part-{number:02d}", str(number).encode())
    parts.write("part-00", b"0")
    assert parts.read([*parts.names(), "gone"]) == {
        **{f"part-{number:02d}": str(number).encode() for number in range(20)},
        "gone": None,
    }
    parts.remove("part-00")
    parts.remove("part-00")
    assert len(parts.names()) == 19


def test_a_name_in_an_error_is_without_the_query() -> None:
    store: Store = open_store("s3://b/runs?endpoint_override=http://127.0.0.1:1&region=us-east-1")
    assert store.named("x") == "s3://b/runs/x"
