"""Publishing: all of a unit or nothing of it, and nothing once another has begun, whatever comes between what."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from distxml.digest import digest_of
from distxml.errors import InfrastructureError
from distxml.storage.files import Store
from distxml.storage.ledger import Ledger
from distxml.storage.publishing import Publisher, Superseded, newest_driver, read_newest
from tests.flip_a_byte import flip_a_byte
from tests.unit.storage.counted_store import Calls, counted_store

PART = "training"


def written(folder: Path, text: str) -> dict[str, Path]:
    """Two files of a unit."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("a", "b"):
        (folder / name).write_text(f"{name} {text}")
    return {name: folder / name for name in ("a", "b")}


def texts(store: Store, ledger: Ledger | None, unit: str = "unit") -> list[str]:
    """What the files of a unit hold; their sums are compared."""
    assert ledger is not None
    files = [ledger.units[unit][name] for name in ("a", "b")]
    contents = [store.get(file.object) for file in files]
    assert [digest_of(content) for content in contents] == [file.sha256 for file in files]
    return [content.decode() for content in contents]


def test_what_was_published_last_is_read_and_what_it_replaced_goes(tmp_path: Path) -> None:
    store = counted_store(tmp_path / "store")
    publisher = Publisher.begin(store, PART)
    for number in range(5):
        unit = {"unit": written(tmp_path / "here", str(number))}
        publisher.publish(unit, kept={"before": "unit"}, also={"best": "unit"})
        ledger = read_newest(store, PART)
        assert texts(store, ledger) == texts(store, ledger, "best") == [f"a {number}", f"b {number}"]
        if number:
            assert texts(store, ledger, "before") == [f"a {number - 1}", f"b {number - 1}"]
    assert len(store.names(f"{PART}/ledger")) == 2
    assert len(store.names(f"{PART}/versions")) == 6, "this version, the one before, and what the ledger before names"


def test_a_unit_that_is_not_published_again_stays(tmp_path: Path) -> None:
    store = counted_store(tmp_path / "store")
    publisher = Publisher.begin(store, PART)
    publisher.publish({"best": written(tmp_path / "here", "best")})
    for number in range(4):
        publisher.publish({"unit": written(tmp_path / "here", str(number))})
    following = Publisher.begin(store, PART)
    following.sweep()
    assert texts(store, read_newest(store, PART), "best") == ["a best", "b best"]
    assert texts(store, read_newest(store, PART)) == ["a 3", "b 3"]
    assert len(store.names(f"{PART}/versions")) == 4


def test_a_crash_at_any_call_leaves_what_was_there_or_what_was_to_be(tmp_path: Path) -> None:
    calls = Calls()
    Publisher.begin(counted_store(tmp_path / "count"), PART)
    counting = Publisher.begin(counted_store(tmp_path / "count", calls), PART)
    counting.publish({"unit": written(tmp_path / "here", "0")})
    began = calls.made
    counting.publish({"unit": written(tmp_path / "here", "1")})
    outcomes = set()
    for at in range(1, calls.made - began + 1):
        store = counted_store(tmp_path / f"crash {at}")
        publisher = Publisher.begin(store, PART)
        publisher.publish({"unit": written(tmp_path / "here", "0")})
        store.calls.at, store.calls.then = store.calls.made + at, crash
        with pytest.raises(ZeroDivisionError):
            publisher.publish({"unit": written(tmp_path / "here", "1")})
        store.calls.busy = True
        found = texts(store, read_newest(store, PART))
        assert found in (["a 0", "b 0"], ["a 1", "b 1"])
        following = Publisher.begin(store, PART)
        following.sweep()
        assert texts(store, read_newest(store, PART)) == found
        assert len(store.names(f"{PART}/versions")) <= 4
        outcomes.add(found[0])
    assert outcomes == {"a 0", "a 1"}


def crash() -> None:
    raise ZeroDivisionError


def moments(folder: Path, happens: Callable[[Path, int], bool]) -> int:
    """How many there are: `happens` at the first, the second and so on, until there is no such moment."""
    return next(at for at in count(1) if not happens(folder / str(at), at)) - 1


def test_one_begins_at_any_moment_while_another_publishes(tmp_path: Path) -> None:
    assert moments(tmp_path, begin_while_publishing) >= 7


def begin_while_publishing(tmp_path: Path, at: int) -> bool:
    store = counted_store(tmp_path / "store")
    older = Publisher.begin(store, PART)
    for number in range(3):
        older.publish({"unit": written(tmp_path / "here", str(number))}, kept={"before": "unit"})
    newer: list[Publisher] = []
    store.calls.at = store.calls.made + at
    store.calls.then = lambda: newer.append(Publisher.begin(store, PART))
    told = False
    try:
        older.publish({"unit": written(tmp_path / "here", "3")}, kept={"before": "unit"})
    except Superseded:
        told = True
    if not newer:
        return False
    ledger = read_newest(store, PART)
    assert ledger is not None and ledger.place == newer[0].ledger.place
    texts(store, ledger, "before")  # it and its unit are whole, whatever the older one has removed
    last = texts(store, ledger)[0]
    assert last == "a 3" or told, "it is told where nobody reads what it has published"
    with pytest.raises(Superseded):
        older.publish({"unit": written(tmp_path / "here", "4")})
    assert texts(store, read_newest(store, PART))[0] == last
    return True


def test_one_publishes_at_any_moment_while_another_begins(tmp_path: Path) -> None:
    assert moments(tmp_path, publish_while_beginning) >= 5


def publish_while_beginning(tmp_path: Path, at: int) -> bool:
    store = counted_store(tmp_path / "store")
    older = Publisher.begin(store, PART)
    for number in range(3):
        older.publish({"unit": written(tmp_path / "here", str(number))}, kept={"before": "unit"})
    told: list[bool] = []

    def publish() -> None:
        try:
            older.publish({"unit": written(tmp_path / "there", "3")}, kept={"before": "unit"})
            told.append(False)
        except Superseded:
            told.append(True)

    store.calls.at, store.calls.then = store.calls.made + at, publish
    newer = Publisher.begin(store, PART)
    if not told:
        return False
    newer.sweep()
    ledger = read_newest(store, PART)
    assert ledger is not None and ledger.place == newer.ledger.place
    texts(store, ledger, "before")
    assert texts(store, ledger)[0] == "a 3" or told[0]
    return True


def test_two_begin_at_once_and_one_goes_on(tmp_path: Path) -> None:
    assert moments(tmp_path, begin_while_beginning) >= 5


def begin_while_beginning(tmp_path: Path, at: int) -> bool:
    store = counted_store(tmp_path / "store")
    Publisher.begin(store, PART).publish({"unit": written(tmp_path / "here", "0")})
    begun: list[Publisher] = []
    store.calls.at, store.calls.then = store.calls.made + at, lambda: begun.append(Publisher.begin(store, PART))
    begun.append(Publisher.begin(store, PART))
    if len(begun) == 1:
        return False
    alive = []
    for publisher in begun:
        try:
            publisher.check()
            alive.append(publisher)
        except Superseded:
            continue
    (winner,) = alive
    winner.publish({"other": written(tmp_path / "here", "1")})
    assert texts(store, read_newest(store, PART)) == ["a 0", "b 0"]
    return True


def test_a_worker_of_the_older_command_cannot_begin(tmp_path: Path) -> None:
    store = counted_store(tmp_path / "store")
    first = Publisher.begin(store, PART).ledger.token
    worker = Publisher.begin(store, PART, driver=first)
    worker.publish({"unit": written(tmp_path / "here", "0")})
    replaced = Publisher.begin(store, PART, driver=first)
    with pytest.raises(Superseded):
        worker.publish({"unit": written(tmp_path / "here", "1")})
    assert texts(store, read_newest(store, PART)) == ["a 0", "b 0"]
    second = Publisher.begin(store, PART).ledger.token
    assert newest_driver(store, PART) == second != first
    for refused in (replaced.check, lambda: Publisher.begin(store, PART, driver=first)):
        with pytest.raises(Superseded, match="another `distxml` command has taken over this run"):
            refused()
    assert newest_driver(store, PART) == second, "what was refused leaves no claim"


def test_a_claim_that_was_cut_off_hides_nothing(tmp_path: Path) -> None:
    store = counted_store(tmp_path / "store")
    Publisher.begin(store, PART).publish({"unit": written(tmp_path / "here", "0")})
    store.calls.at, store.calls.then = store.calls.made + 3, crash  # a list, the claim, another list
    with pytest.raises(ZeroDivisionError):
        Publisher.begin(store, PART)
    store.calls.busy = True
    assert len(store.names(f"{PART}/ledger")) == 3
    assert texts(store, read_newest(store, PART)) == ["a 0", "b 0"]
    assert texts(store, Publisher.begin(store, PART).ledger) == ["a 0", "b 0"]


def test_a_damaged_ledger_is_passed_over(tmp_path: Path) -> None:
    store = counted_store(tmp_path / "store")
    publisher = Publisher.begin(store, PART)
    for number in range(3):
        publisher.publish({"unit": written(tmp_path / "here", str(number))})
    flip_a_byte(tmp_path / "store" / max(store.names(f"{PART}/ledger")))
    assert texts(store, read_newest(store, PART)) == ["a 1", "b 1"]
    assert texts(store, Publisher.begin(store, PART).ledger) == ["a 1", "b 1"]


def test_what_a_store_does_not_take_leaves_what_was_there(tmp_path: Path) -> None:
    store = counted_store(tmp_path / "store")
    publisher = Publisher.begin(store, PART)
    publisher.publish({"unit": written(tmp_path / "here", "0")})
    (tmp_path / "store" / PART / "versions" / "x").touch()
    versions = tmp_path / "store" / PART / "versions"
    versions.rename(versions.with_name("elsewhere"))
    versions.touch()
    with pytest.raises(InfrastructureError, match="the store does not do it"):
        publisher.publish({"unit": written(tmp_path / "here", "1")})
    versions.unlink()
    versions.with_name("elsewhere").rename(versions)
    assert texts(store, read_newest(store, PART)) == ["a 0", "b 0"]
    publisher.publish({"unit": written(tmp_path / "here", "1")})
    assert texts(store, read_newest(store, PART)) == ["a 1", "b 1"]
