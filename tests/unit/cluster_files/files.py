"""What a cluster's owner copies: the files of `cluster/`, and the commands in them and in their pages."""

import re
import shlex
from pathlib import Path

import yaml

CLUSTER = Path(__file__).parents[3] / "cluster"
PAGES = CLUSTER.parent / "docs" / "cluster"


def documents(name: str) -> list[dict]:
    """The YAML documents of a file of `cluster/`."""
    return [document for document in yaml.safe_load_all((CLUSTER / name).read_text()) if document]


def commands(text: str, program: str) -> list[list[str]]:
    """Every command of a text that starts with a program, as its words; comments and shell around it left out."""
    joined = re.sub(r"\\\n\s*", " ", text)
    found = re.findall(rf"(?:^|[\s/;&`']){re.escape(program)}((?: [^\n;&|#`)']+)+)", joined, re.MULTILINE)
    return [shlex.split(words) for words in found]
