from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from distxml.cli.main import app
from distxml.config import DatasetRecipe, load_settings
from tests.integration.command import distxml_in_process
from tests.unit.sources.voc_folder import make_voc_folder

SMALL = ["source.images=20", "source.image_size=16"]


def run(*arguments: str) -> str:
    alone = ("--workers", "1") if arguments[:2] == ("data", "build") else ()  # in this process
    result = CliRunner().invoke(app, [*arguments, *alone], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def example_of(command: str) -> list[str]:
    help_text = run("data", command, "--help")
    last = [line.strip() for line in help_text.splitlines() if line.strip()][-1]
    assert last.startswith("Example: distxml data ")
    return last.removeprefix("Example: distxml ").split()


def test_the_examples_in_the_help_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "Dataset: " in run(*example_of("build"))
    assert "Contact sheet: data/polygons/contact_sheet.png" in run(*example_of("inspect"))
    assert (tmp_path / "data" / "polygons" / "contact_sheet.png").stat().st_size > 1000
    assert "triangle: 100 images" in run(*example_of("export-voc"))


def test_build_prints_counts_and_a_second_build_says_that_it_did_nothing(tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    first = run("data", "build", "polygons", out, *SMALL)
    for part in ("circles", "triangle", "train", "val", "test", "20", "Left out: none", out):
        assert part in first
    assert "nothing was done" not in first
    assert "nothing was done" in run("data", "build", "polygons", out, *SMALL)


def test_print_config_is_yaml_that_reads_back_and_builds_nothing(tmp_path: Path) -> None:
    printed = run("data", "build", "polygons", str(tmp_path / "out"), *SMALL, "--print-config")
    assert yaml.safe_load(printed)["source"]["images"] == 20
    (tmp_path / "recipe.yaml").write_text(printed)
    assert load_settings(DatasetRecipe, str(tmp_path / "recipe.yaml"), []) == load_settings(
        DatasetRecipe, "polygons", SMALL, shelf="datasets"
    )
    assert not (tmp_path / "out").exists()


def test_inspect_says_what_the_dataset_holds(tmp_path: Path) -> None:
    voc = make_voc_folder(tmp_path / "raw")
    voc.add_image("lonely.jpg")
    where = [f"source.images={voc.images}", f"source.annotations={voc.annotations}"]
    out = tmp_path / "out"
    assert "Left out: 1 file(s), listed with the reasons in" in run("data", "build", "voc", str(out), *where)
    printed = run("data", "inspect", str(out), "--out", str(tmp_path / "sheet.png"))
    for part in (
        "Width in pixels: 30 min, 30 median, 30 max",
        "Height in pixels: 20 min, 20 median, 20 max",
        "Annotated: 8 of 8 images, 0 of them with an empty mask",
        "31.2% min, 31.2% median, 31.2% max",
        "Left out: 1 file(s)",
        "Converted: none",
        "all checksums right",
    ):
        assert part in printed
    assert (tmp_path / "sheet.png").is_file()
    assert not (out / "contact_sheet.png").exists()


def test_a_mistake_is_one_line_and_status_2(tmp_path: Path) -> None:
    result = distxml_in_process("data", "inspect", tmp_path / "no", cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr.startswith("distxml: error: ")
    assert len(result.stderr.splitlines()) == 1


def test_too_much_left_out_is_one_line_status_2_and_no_dataset(tmp_path: Path) -> None:
    voc = make_voc_folder(tmp_path / "raw")
    for path in sorted(voc.images.iterdir())[:6]:
        path.write_bytes(b"")
    where = [f"source.images={voc.images}", f"source.annotations={voc.annotations}"]
    command = ("data", "build", "voc", tmp_path / "out", *where, "--workers", "1")
    result = distxml_in_process(*command, cwd=tmp_path)
    assert result.returncode == 2
    assert "6 of 8 images (75.0%) cannot be used, more than images.max_left_out=0.5: empty file (6)" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()
    result = distxml_in_process(*command, cwd=tmp_path)
    assert result.stderr.startswith("Resuming where an earlier build stopped: 8 images checked, 0 shards written.\n")


def test_nothing_but_the_summary_is_printed_where_there_is_no_terminal(tmp_path: Path) -> None:
    result = distxml_in_process("data", "build", "polygons", tmp_path / "out", *SMALL, "--workers", "1", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert "\x1b" not in result.stdout
