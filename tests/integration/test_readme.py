"""The README's commands and the examples of `--help`, run in their order by a stranger in an empty folder.

Overrides that make data, model, epochs and workers small are added to each command; nothing else is changed.
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from distxml.evaluation.results import load_results
from tests.integration.command import (
    REPOSITORY,
    SMALL_TRAINING,
    DistxmlSession,
    distxml_in_process,
    distxml_session,
)
from tests.integration.ray_cluster import RayCluster
from tests.unit.sources.voc_folder import make_voc_folder, object_xml

SHORT = (
    *SMALL_TRAINING,
    "scaling.workers=1",
    "phases.classifier.epochs=1",
    "phases.explainer.epochs=1",
    "phases.joint.epochs=1",
)
SMALL = {
    "data build polygons": ("source.images=120", "source.image_size=16"),
    "train": SHORT,
    "train voc": (*SHORT, "scaling.gpus_per_worker=0"),
    "tune": (*SHORT, "budget.trials=2", "scheduler.grace=1", "quick_scores.images=2"),
    "evaluate": ("evaluation.curve_images=4", "evaluation.batch_size=256"),
}
"""By the first words of a command, the longest that fit."""


def readme_blocks() -> list[list[list[str]]]:
    """Lines of the README's shell blocks that start with a `distxml` command."""
    blocks = re.findall(r"```sh\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.DOTALL)
    ours = [block for block in blocks if block.startswith("distxml")]
    return [[shlex.split(line, comments=True)[1:] for line in block.splitlines() if line.strip()] for block in ours]


def help_example(*command: str) -> list[str]:
    """The words after `distxml` in the example that a command's help ends with."""
    text = distxml_in_process(*command, "--help", cwd=REPOSITORY).stdout
    last_paragraph = " ".join(text.strip().split("\n\n")[-1].split())
    example = last_paragraph.rsplit("Example: distxml ", 1)
    assert len(example) == 2, f"the help of {command} does not end with an example"
    return shlex.split(example[1])


def run(words: list[str], session: DistxmlSession) -> str:
    fitting = [name for name in SMALL if words[: len(name.split())] == name.split()]
    done = session.run(*words, *(SMALL[max(fitting, key=len)] if fitting else ()))
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.slow
def test_the_readme_and_the_examples_work(tmp_path: Path, cluster: RayCluster) -> None:
    with distxml_session(tmp_path, cluster) as session:
        _everything_works(tmp_path, session)


def _everything_works(tmp_path: Path, session: DistxmlSession) -> None:
    for name in ("photo.png", "photo.jpg"):
        Image.open(REPOSITORY / "docs/pictures/polygons.png").save(tmp_path / name)
    commands, *others = readme_blocks()
    assert [words[0] for words in commands] == ["data", "data", "train", "evaluate", "report", "explain"]
    said = {" ".join(words[:2]): run(words, session) for words in commands}
    evaluated = said["evaluate runs/polygons"]
    assert all(words in evaluated for words in ("accuracy", "heat_ratio", "AOPC, 4 images"))
    assert "next: distxml report runs/polygons" in evaluated
    results = load_results(tmp_path / "runs/polygons/evaluation")
    assert results.summary.images == 24 and results.summary.curve_images == 4
    page = (tmp_path / "runs/polygons/report.html").read_text()
    assert "<h2>Gallery</h2>" in page and page.count("<figure") > 10
    assert (tmp_path / "explanations/photo.heatmap.png").is_file()
    for command in ("evaluate", "report", "explain"):
        run(help_example(command), session)
    for command, alone in (("train", "--print-config"), ("tune", "--dry-run")):  # the README has others that run
        run([*help_example(command), alone], session)
    _write_photographs(tmp_path)
    for words in [words for block in others for words in block]:
        run(words, session)
    for name in ("voc", "hybrid", "polygons-sweep-best"):
        assert (tmp_path / "runs" / name / "finished.json").is_file()


def _write_photographs(place: Path) -> None:
    """What the README's own data are: `JPEGImages` and `Annotations`."""
    raw = make_voc_folder(place / "raw")
    for number in range(12):
        raw.add(f"more {number}", object_xml("cat" if number % 2 else "dog"))
    raw.images.rename(place / "JPEGImages")
    raw.annotations.rename(place / "Annotations")


def test_the_makefile_runs_the_readmes_flow() -> None:
    lines = (REPOSITORY / "Makefile").read_text().splitlines()
    demo = [line.strip().removeprefix("$(BIN)/distxml ") for line in lines if "$(BIN)/distxml" in line]
    flow = [
        shlex.join(words) for words in readme_blocks()[0] if words[:2] != ["data", "inspect"] and words[0] != "explain"
    ]
    assert demo == flow


@pytest.mark.slow
def test_help_answers_without_heavy_imports() -> None:
    code = "import sys; from distxml.cli import main; print([m for m in ('torch', 'ray', 'cv2') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
