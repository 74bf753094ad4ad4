"""The journal on a disk that loses, spoils and doubles things: no row is lost, none counts twice, none is made up."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distxml.config.evaluation import Method
from distxml.evaluation.scoring.plan import make_plan
from distxml.evaluation.scoring.records import split_methods
from distxml.evaluation.tables import CURVES_SCHEMA, HEATMAPS_SCHEMA, IMAGES_SCHEMA
from distxml.evaluation.workers.journal import RowJournal, collect
from tests.unit.evaluation.some_records import (
    FINGERPRINT,
    SETTINGS,
    fill,
    image_record,
    kinds_of_files,
    method_record,
    new_journal,
)

METHODS: tuple[Method, ...] = ("in_model", "random")
PAIRS: list[tuple[str, Method]] = [(key, method) for key in "abc" for method in METHODS]
MERGED = ["images", "methods", "settings.json"]


@pytest.fixture
def journal(tmp_path: Path) -> RowJournal:
    """Three images and their curves, each row a part."""
    journal = new_journal(tmp_path)
    fill(journal, "abc", PAIRS)
    return journal


def names(journal: RowJournal) -> list[str]:
    return sorted(path.name for path in journal.folder.iterdir())


def test_what_is_written_is_read(tmp_path: Path):
    journal = new_journal(tmp_path)
    assert journal.read().pairs == set() and journal.read().image_keys == set()
    journal.add_images([image_record("a", 0.125), image_record("b")])
    journal.add_methods([method_record("a", "in_model", 0.5), method_record("a", "random")])
    finished = journal.read()
    assert finished.images["heat_mean"].to_pylist() == [0.125, 0.5]
    assert finished.pairs == {("a", "in_model"), ("a", "random")}
    heatmaps, curves = split_methods(finished.methods)
    assert heatmaps["method"].to_pylist() == ["in_model"]
    assert curves["aopc"].to_pylist() == [0.5, 0.5, 0.25, 0.25]
    assert curves["fill"].to_pylist() == ["black", "blur"] * 2
    assert curves["f"].to_pylist() == [[1.0, 0.75, 0.5]] * 4
    assert finished.images.schema == IMAGES_SCHEMA
    assert heatmaps.schema == HEATMAPS_SCHEMA and curves.schema == CURVES_SCHEMA


def test_rows_that_were_written_twice_count_once(journal: RowJournal):
    before = journal.read()
    fill(journal, "ba", PAIRS[2:])
    journal.add_methods([method_record("c", "random"), method_record("d", "random")])
    after = journal.read()
    assert sorted(after.images["key"].to_pylist()) == ["a", "b", "c"]
    assert after.methods.num_rows == 7
    assert after.pairs == before.pairs | {("d", "random")}


@pytest.mark.parametrize("kind", ["images", "methods"])
@pytest.mark.parametrize("damage", ["truncated", "empty", "overwritten", "another table", "another evaluation's"])
def test_a_damaged_part_is_reported_and_its_rows_miss(journal: RowJournal, tmp_path: Path, kind: str, damage: str):
    part = sorted(journal.folder.glob(f"{kind}-*.parquet"))[0]
    (key,) = pq.read_table(part)["key"].to_pylist()
    if damage == "truncated":
        os.truncate(part, part.stat().st_size - 20)
    elif damage == "empty":
        part.write_bytes(b"")
    elif damage == "overwritten":
        content = bytearray(part.read_bytes())
        content[20:30] = bytes(10)
        part.write_bytes(content)
    elif damage == "another table":
        pq.write_table(pa.table({"key": [key]}), part)
    else:
        other = RowJournal(tmp_path / "fedcba9876543210")
        other.open({})
        other.add_images([image_record(key)])
        other.add_methods([method_record(key, "in_model")])
        part.write_bytes(next(other.folder.glob(f"{kind}-*.parquet")).read_bytes())
    finished = journal.read()
    assert finished.damaged == (part.name,)
    assert finished.images.num_rows + finished.methods.num_rows == 8
    assert (key in finished.image_keys) == (kind == "methods")
    fill(journal, "abc", PAIRS)
    again = journal.read()
    assert again.image_keys == set("abc") and again.pairs == set(PAIRS)
    journal.merge(again)
    assert journal.read().damaged == ()
    assert journal.read().pairs == set(PAIRS)


@pytest.mark.parametrize("kind", ["images", "methods"])
def test_a_bit_that_flips_on_the_disk_is_seen_wherever_it_is(tmp_path: Path, kind: str):
    journal = new_journal(tmp_path)
    fill(journal, "a", [("a", "in_model")])
    (part,) = journal.folder.glob(f"{kind}-*.parquet")
    content = part.read_bytes()
    for place in range(0, len(content), 7):
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        part.write_bytes(changed)
        assert journal.read().damaged == (part.name,), f"byte {place}"
    fill(journal, "a", [("a", "in_model")])
    assert journal.read().damaged == (), "the same rows have the same name, so they replace what was damaged"


def test_what_a_crash_left_half_written_is_removed(journal: RowJournal):
    before = names(journal)
    (journal.folder / ".methods-1.parquet.2.unfinished").write_bytes(b"PAR1")
    assert journal.read().damaged == (), "it is no part"
    journal.open({"some": "settings"})
    assert names(journal) == before


def test_a_merged_journal_has_one_part_of_each_kind_and_loses_nothing(journal: RowJournal):
    before = journal.read()
    journal.merge(before)
    assert kinds_of_files(journal.folder) == MERGED
    after = journal.read()
    assert after.images.equals(before.images) and after.methods.equals(before.methods)
    fill(journal, "d", [("d", "in_model")])
    journal.merge(journal.read())
    assert kinds_of_files(journal.folder) == MERGED
    assert journal.read().image_keys == set("abcd")
    written = [path.stat().st_mtime_ns for path in sorted(journal.folder.iterdir())]
    journal.merge(journal.read())
    assert [path.stat().st_mtime_ns for path in sorted(journal.folder.iterdir())] == written, "nothing new, no write"


def test_a_part_that_comes_between_reading_and_merging_stays(journal: RowJournal):
    """From a worker whose driver was killed."""
    finished = journal.read()
    journal.add_methods([method_record("late", "in_model")])
    journal.merge(finished)
    assert ("late", "in_model") in journal.read().pairs


def test_a_crash_in_the_middle_of_merging_loses_and_doubles_nothing(journal: RowJournal, monkeypatch):
    before = journal.read()

    def crash(path: Path, missing_ok: bool = False) -> None:
        raise KeyboardInterrupt

    for _ in range(2):
        with monkeypatch.context() as patch:
            patch.setattr(Path, "unlink", crash)
            with pytest.raises(KeyboardInterrupt):
                journal.merge(journal.read())
        assert journal.read().pairs == before.pairs
        assert journal.read().methods.num_rows == before.methods.num_rows
    journal.open({})
    journal.merge(journal.read())
    assert kinds_of_files(journal.folder) == MERGED


def test_a_journal_that_was_renamed_is_not_taken(journal: RowJournal):
    journal.folder.rename(journal.folder.with_name("another"))
    found = RowJournal(journal.folder.with_name("another")).read()
    assert found.pairs == set() and found.image_keys == set() and len(found.damaged) == 9


@given(
    parts=st.lists(
        st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from(METHODS)), min_size=1, max_size=4), max_size=5
    ),
    merges=st.sets(st.integers(0, 4)),
)
@settings(max_examples=25)
def test_whatever_is_written_is_there_once(tmp_path_factory, parts, merges):
    journal = new_journal(tmp_path_factory.mktemp("journal"))
    for number, part in enumerate(parts):
        journal.add_methods([method_record(key, method) for key, method in part])
        if number in merges:
            journal.merge(journal.read())
    found = journal.read()
    assert found.pairs == {pair for part in parts for pair in part}
    assert found.methods.num_rows == len(found.pairs)


def test_results_are_the_plans_rows_in_order_and_others_are_left_out(journal: RowJournal):
    fill(journal, "zd", [("d", "in_model"), ("d", "random"), ("a", "otsu"), ("z", "in_model")])
    plan = make_plan(SETTINGS, (32, 32), dict.fromkeys("cadb", 0), 0)
    fill(journal, "", [("d", "in_model")])
    images, heatmaps, curves = collect(plan, "cadb", journal.read())
    assert images["key"].to_pylist() == list("abcd")
    assert heatmaps["key"].to_pylist() == list("abcd")
    assert curves["key"].to_pylist() == [key for key in "abcd" for _ in range(4)]
    assert curves["method"].to_pylist() == ["in_model", "in_model", "random", "random"] * 4
    assert curves["fill"].to_pylist() == ["black", "blur"] * 8


@pytest.mark.parametrize("nothing", [{"methods": ()}, {"fills": ()}, {"patch_sizes": (32,)}], ids=str)
def test_where_nothing_is_perturbed_there_are_images_alone(journal: RowJournal, nothing: dict[str, tuple[object, ...]]):
    plan = make_plan(SETTINGS.model_copy(update=nothing), (32, 32), dict.fromkeys("abc", 0), 0)
    images, heatmaps, curves = collect(plan, "abc", journal.read())
    assert images["key"].to_pylist() == list("abc")
    assert heatmaps.num_rows == curves.num_rows == 0


@pytest.mark.parametrize("missing", [("b", "random"), ("c", "in_model")])
def test_a_missing_row_is_not_passed_over(tmp_path: Path, missing: tuple[str, str]):
    journal = new_journal(tmp_path)
    fill(journal, "abc", [pair for pair in PAIRS if pair != missing])
    plan = make_plan(SETTINGS, (32, 32), dict.fromkeys("abc", 0), 0)
    with pytest.raises(RuntimeError, match="1 rows of heatmaps are missing"):
        collect(plan, "abc", journal.read())


def test_the_folder_says_what_its_numbers_depend_on(journal: RowJournal):
    assert journal.folder.name == FINGERPRINT
    assert (journal.folder / "settings.json").read_text() == '{\n  "some": "settings"\n}\n'
