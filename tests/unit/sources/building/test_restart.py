import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from distxml.config import DatasetRecipe
from distxml.errors import UserError
from distxml.sources.building.build import BuildOptions, build_dataset
from distxml.sources.building.journal import JOURNAL_NAME
from tests.unit.sources.voc_folder import VocFolder, annotation_xml, object_xml

IMAGES = 160
SIDE = 80

BUILD_MANY = "tests.unit.sources.building.build_many"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> VocFolder:
    """Noise, so that each image takes a while."""
    folder = VocFolder(tmp_path_factory.mktemp("many"))
    folder.images.mkdir()
    folder.annotations.mkdir()
    rng = np.random.default_rng(0)
    for number in range(IMAGES):
        Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8)).save(folder.images / f"{number:04d}.bmp")
        name = "cat" if number % 3 else "dog"
        folder.add_xml(f"{number:04d}", annotation_xml(object_xml(name), size=None))
    (folder.images / "0017.bmp").write_bytes(b"BM")
    return folder


def recipe(source: VocFolder, **changes: object) -> DatasetRecipe:
    content = source.recipe().model_dump() | {"rows_per_shard": 6, "rows_per_group": 4}
    return DatasetRecipe.model_validate(content | changes)


@pytest.fixture(scope="module")
def whole(source: VocFolder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("whole") / "out"
    build_dataset(recipe(source), out)
    return contents(out)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def in_making(tmp_path: Path) -> Path:
    return tmp_path / ".out.distxml-building"


def shards(tmp_path: Path) -> list[Path]:
    return sorted(in_making(tmp_path).glob("*/*.parquet"))


def journal(tmp_path: Path) -> str:
    try:  # the build renames its folder at any moment
        return (in_making(tmp_path) / JOURNAL_NAME).read_text()
    except FileNotFoundError:
        return ""


def kill_build_when(ready: Callable[[], bool], source: VocFolder, tmp_path: Path, processes: int = 1) -> None:
    """Starts the build as a process and kills it; again, where a busy machine let us look only after its end."""
    settings = tmp_path / "recipe.json"
    settings.write_text(recipe(source).model_dump_json())
    command = [sys.executable, "-m", BUILD_MANY, settings, tmp_path / "out", str(processes)]
    for _ in range(5):
        process = subprocess.Popen(command)
        _wait_for(ready, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if ready() and not (tmp_path / "out").exists():
            return
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        shutil.rmtree(in_making(tmp_path), ignore_errors=True)
    pytest.fail("done before it could be killed, five times")


def _wait_for(ready: Callable[[], bool], process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 60
    while not ready() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.002)


def finished(source: VocFolder, tmp_path: Path, **changes: object) -> tuple[dict[str, bytes], list[str]]:
    """The dataset after another build, and what that build said."""
    said: list[str] = []
    build_dataset(recipe(source, **changes), tmp_path / "out", BuildOptions(say=said.append))
    assert not in_making(tmp_path).exists()
    return contents(tmp_path / "out"), said


@pytest.mark.slow
def test_any_number_of_processes_gives_the_same_bytes(
    source: VocFolder, whole: dict[str, bytes], tmp_path: Path
) -> None:
    build_dataset(recipe(source), tmp_path / "out", BuildOptions(3))
    assert contents(tmp_path / "out") == whole
    assert '0017.bmp,"cannot be decoded' in whole["rejected.csv"].decode()
    assert whole["converted.csv"].decode().count("BMP saved as PNG") == IMAGES - 1


@pytest.mark.slow
def test_killed_while_checking(source: VocFolder, whole: dict[str, bytes], tmp_path: Path) -> None:
    kill_build_when(lambda: journal(tmp_path).count("\n") >= 2 and not shards(tmp_path), source, tmp_path)
    found, said = finished(source, tmp_path)
    assert found == whole
    assert len(said) == 1 and "images checked, 0 shards written" in said[0]


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_killed_while_writing(source: VocFolder, whole: dict[str, bytes], tmp_path: Path, processes: int) -> None:
    kill_build_when(lambda: ".parquet" in journal(tmp_path), source, tmp_path, processes)
    time.sleep(1)  # the processes of a killed build end with it: they would write into what the next one takes over
    before = {path: path.stat().st_mtime_ns for path in shards(tmp_path)}
    known = [path for path in before if str(path.relative_to(in_making(tmp_path))) in journal(tmp_path)]
    assert known
    time.sleep(0.3)
    assert {path: path.stat().st_mtime_ns for path in shards(tmp_path)} == before
    found, said = finished(source, tmp_path)
    assert found == whole
    assert said == [f"Resuming where an earlier build stopped: {IMAGES} images checked, {len(known)} shards written."]
    for path in known:
        assert (tmp_path / "out" / path.relative_to(in_making(tmp_path))).stat().st_mtime_ns == before[path]


def interrupted(source: VocFolder, tmp_path: Path, after: int) -> None:
    """A build that stops in this process after so many tasks."""
    steps = iter(range(after))

    def stop(elements, description):
        del description
        for element in elements:
            if next(steps, None) is None:
                raise KeyboardInterrupt
            yield element

    with pytest.raises(KeyboardInterrupt):
        build_dataset(recipe(source), tmp_path / "out", BuildOptions(track=stop))


@pytest.mark.parametrize("after", [IMAGES + 3, IMAGES + 25])  # annotations are read again, then 15 tasks of 16 images
def test_interrupted_from_the_keyboard(source: VocFolder, whole: dict[str, bytes], tmp_path: Path, after: int) -> None:
    interrupted(source, tmp_path, after)
    found, said = finished(source, tmp_path)
    assert found == whole
    assert said


def test_damage_to_the_journal_or_to_a_shard_only_costs_work(
    source: VocFolder, whole: dict[str, bytes], tmp_path: Path
) -> None:
    interrupted(source, tmp_path, IMAGES + 25)
    path = in_making(tmp_path) / JOURNAL_NAME
    lines = path.read_bytes().splitlines(keepends=True)
    lines[0] = lines[0].replace(b'"number":3', b'"number":4')
    lines[1] = b"\xff\x00 no text\n"
    lines[-1] = lines[-1][:40]
    path.write_bytes(b"".join(lines))
    victim = shards(tmp_path)[0]
    victim.write_bytes(victim.read_bytes()[:-1] + b"?")
    (in_making(tmp_path) / "train" / ".00009.parquet.123.unfinished").write_text("half")
    (in_making(tmp_path) / "stranger").mkdir()
    (in_making(tmp_path) / "dataset.json").write_text("{}")
    found, said = finished(source, tmp_path)
    assert found == whole
    assert f"{IMAGES - 32} images checked" in said[0]


def test_what_lies_in_the_folder_cannot_lead_out_of_it(source: VocFolder, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("precious")
    in_making(tmp_path).mkdir()
    (in_making(tmp_path) / "train").symlink_to(tmp_path / "precious")
    (in_making(tmp_path) / JOURNAL_NAME).symlink_to(tmp_path / "precious" / "thesis.txt")
    finished(source, tmp_path)
    assert (tmp_path / "precious" / "thesis.txt").read_text() == "precious"
    assert [path.name for path in (tmp_path / "precious").iterdir()] == ["thesis.txt"]


def test_another_recipe_keeps_the_checks_where_they_hold(source: VocFolder, tmp_path: Path) -> None:
    interrupted(source, tmp_path, IMAGES + 25)
    _, said = finished(source, tmp_path, seed=1)
    assert said == [f"Resuming where an earlier build stopped: {IMAGES} images checked, 0 shards written."]


def test_other_rules_or_files_start_afresh(source: VocFolder, whole: dict[str, bytes], tmp_path: Path) -> None:
    interrupted(source, tmp_path, IMAGES + 25)
    _, said = finished(source, tmp_path, images={"max_pixels": SIDE * SIDE})
    assert said == []
    (tmp_path / "out").rename(tmp_path / "other")
    interrupted(source, tmp_path, IMAGES + 25)
    file = source.annotations / "0005.xml"
    os.utime(file, ns=(0, file.stat().st_mtime_ns + 1000))
    found, said = finished(source, tmp_path)
    assert said == []
    assert found == whole


def test_an_image_that_changes_during_the_build_is_named(source: VocFolder, tmp_path: Path) -> None:
    """After the last check, before the shards are written."""
    image = source.images / "0100.bmp"
    original = image.read_bytes()

    def change(elements, description):
        if description == "writing shards":
            image.write_bytes(original[:-3] + b"abc")
        yield from elements

    try:
        with pytest.raises(UserError, match=r"0100\.bmp: changed while the dataset was being built"):
            build_dataset(recipe(source), tmp_path / "out", BuildOptions(track=change))
    finally:
        image.write_bytes(original)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_the_build_goes_on_afterwards(
    source: VocFolder, whole: dict[str, bytes], tmp_path: Path
) -> None:
    """A limit on the size of files stands in for the disk: shards are refused, the journal is not."""
    settings = tmp_path / "recipe.json"
    settings.write_text(recipe(source).model_dump_json())
    command = f"ulimit -f 80; exec {sys.executable} -m {BUILD_MANY} {settings} {tmp_path / 'out'} 1"
    limited = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "UserError" in limited.stderr and "cannot be written (" in limited.stderr
    found, said = finished(source, tmp_path)
    assert found == whole
    assert f"{IMAGES} images checked" in said[0]
