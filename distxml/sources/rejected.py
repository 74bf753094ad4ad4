"""`rejected.csv`: what was left out of a dataset, and why."""

import csv
from collections.abc import Sequence
from pathlib import Path

from distxml.data.left_out import REJECTED_NAME
from distxml.sources.material import Rejected


def write_rejected(rejected: Sequence[Rejected], folder: Path) -> None:
    """Columns `file` and `reason`; the header alone where nothing was left out."""
    with (folder / REJECTED_NAME).open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "reason"])
        writer.writerows((entry.file, entry.reason) for entry in rejected)
