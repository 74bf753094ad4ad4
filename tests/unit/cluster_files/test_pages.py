"""What pages and files tell people to type exists: settings, and the words of `ray start` and `ray job`."""

import re

import click
import pytest
from ray.dashboard.modules.job.cli import job_cli_group
from ray.scripts.scripts import start

from distxml.config import Recipe, load_settings
from tests.unit.cluster_files.files import CLUSTER, PAGES, commands

PAGE_OF = {
    "aws.yaml": "ray-up.md",
    "gcp.yaml": "ray-up.md",
    "kuberay/raycluster.yaml": "kubernetes.md",
    "kuberay/rayjob.yaml": "kubernetes.md",
    "systemd/ray.env": "machines.md",
}
TEXTS = [*PAGES.glob("*.md"), PAGES.parent / "cluster.md", *(path for path in CLUSTER.rglob("*") if path.is_file())]


def all_commands(program: str) -> list[list[str]]:
    return [words for path in TEXTS for words in commands(path.read_text(), program)]


def test_the_settings_of_every_run_exist() -> None:
    runs = [*all_commands("cluster/submit.py"), *all_commands("distxml")]
    settings = [words[words.index("train") + 2 :] for words in runs if "train polygons" in " ".join(words)]
    assert len(settings) >= 8
    for overrides in settings:
        load_settings(Recipe, "polygons", overrides)


def test_ray_start_knows_the_words() -> None:
    starts = all_commands("ray start")
    assert len(starts) >= 8
    for words in starts:
        known = [word for word in words if not word.startswith("$")]
        start.make_parser(click.Context(start)).parse_args(known)


def test_ray_job_knows_the_words() -> None:
    jobs = [words for words in all_commands("ray job") if words[0] in job_cli_group.commands]
    assert {words[0] for words in jobs} >= {"logs", "status", "stop", "list", "submit"}
    for verb, *words in jobs:
        command = job_cli_group.commands[verb]
        options = words[: words.index("--")] if "--" in words else words
        command.make_parser(click.Context(command, allow_extra_args=True)).parse_args([*options, "--", "x"])


@pytest.mark.parametrize("name", PAGE_OF)
def test_what_is_to_be_replaced_is_explained(name: str) -> None:
    words = set(re.findall(r"\w+-REPLACE|REPLACE_\w+", (CLUSTER / name).read_text()))
    page = (PAGES / PAGE_OF[name]).read_text()
    assert words and all(word in page for word in words)


@pytest.mark.parametrize("page", [path.name for path in PAGES.glob("*.md")])
def test_every_way_leads_to_a_first_run(page: str) -> None:
    text = (PAGES / page).read_text()
    assert "## Five minutes to the first run" in text
    assert "data build polygons /shared/data/polygons" in text and "run.folder=/shared/runs" in text
    named = re.findall(r"cluster/(\w[\w/-]*\.(?:yaml|sh|py|sbatch|service|env))\b", text)
    assert named and all((CLUSTER / path).exists() for path in named), named
