"""What was written and nothing else is read from a checkpoint."""

import hashlib
import re
from pathlib import Path

import pytest

from distxml.checksums import damage_of_files
from distxml.config.model import ModelSettings
from distxml.errors import UserError
from distxml.models.checkpoint import ModelCard, build_model, load_model, save_model
from tests.flip_a_byte import flip_a_byte

FILES = ("model.json", "model.safetensors")
SETTINGS = ModelSettings(classifier="small_resnet", width=2, explainer_width=2)
CARD = ModelCard(settings=SETTINGS, classes=("a", "b"), image_size=(16, 16), dataset="d")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_model(tmp_path, build_model(CARD), CARD)
    return tmp_path


def refused(folder: Path, words: str) -> None:
    """In one line that names the folder and the remedy."""
    with pytest.raises(UserError) as raised:
        load_model(folder)
    line = str(raised.value)
    assert line.startswith(f"checkpoint {folder}: {words}"), line
    assert line.endswith("; copy the checkpoint again from where it was whole, or name another one")
    assert "\n" not in line and "train" not in line.removeprefix(f"checkpoint {folder}")


def test_a_whole_one_is_loaded_and_its_sums_are_as_sha256sum_writes_them(folder: Path) -> None:
    assert load_model(folder).card == CARD and damage_of_files(folder, FILES) is None
    expected = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}" for name in FILES]
    assert (folder / "SHA256SUMS").read_text().splitlines() == expected


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("place", [0, 60, -40, -1])
def test_one_byte_that_changed_is_refused(folder: Path, name: str, place: int) -> None:
    flip_a_byte(folder / name, place)
    refused(folder, f"{name} is not what was written: its SHA-256 is not the one in SHA256SUMS")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("length", [-1, 30, 0])
def test_a_truncated_file_is_refused(folder: Path, name: str, length: int) -> None:
    (folder / name).write_bytes((folder / name).read_bytes()[:length])
    refused(folder, f"{name} is not what was written")


def test_weights_that_are_gone_are_refused(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    refused(folder, "model.safetensors cannot be read (No such file or directory)")


def test_without_the_sums_nobody_knows_and_nothing_is_loaded(folder: Path) -> None:
    (folder / "SHA256SUMS").unlink()
    refused(folder, "SHA256SUMS cannot be read (No such file or directory)")


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff" * 40, b"0  model.json"])
def test_sums_that_are_damaged_are_nobodys(folder: Path, content: bytes) -> None:
    (folder / "SHA256SUMS").write_bytes(content)
    refused(folder, "model.json is not what was written: its SHA-256 is not the one in SHA256SUMS")


def test_a_flipped_byte_in_the_sums_is_refused(folder: Path) -> None:
    """In either line, in the sum or in the name."""
    whole = (folder / "SHA256SUMS").read_bytes()
    for place in (3, 66, -30, -3):
        flip_a_byte(folder / "SHA256SUMS", place)
        with pytest.raises(UserError, match=re.escape(f"checkpoint {folder}: model.")):
            load_model(folder)
        (folder / "SHA256SUMS").write_bytes(whole)
    assert load_model(folder).card == CARD
