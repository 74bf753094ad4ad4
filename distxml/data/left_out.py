"""`rejected.csv`: files that were left out when a dataset was built, and why; columns `file` and `reason`."""

import csv
from pathlib import Path

REJECTED_NAME = "rejected.csv"


def count_left_out(folder: Path) -> int | None:
    """Number of files listed in a dataset's `rejected.csv`; None where there is no such list."""
    path = folder / REJECTED_NAME
    if not path.is_file():
        return None
    with path.open(newline="", encoding="utf-8") as file:
        return sum(1 for _ in csv.DictReader(file))
