"""Lists of what was left out of a dataset and of what was converted."""

import csv
from collections.abc import Iterable
from pathlib import Path

from distxml.data.left_out import CONVERTED_NAME, REJECTED_NAME
from distxml.sources.material import Rejected


def write_rejected(rejected: Iterable[Rejected], folder: Path) -> Path:
    """Columns `file` and `reason`; the header alone where nothing was left out. The path of the list."""
    return _write(folder / REJECTED_NAME, "reason", ((entry.file, entry.reason) for entry in rejected))


def write_converted(remarks: Iterable[tuple[str, str]], folder: Path) -> Path:
    """Columns `file` and `remark`: images that are in, but not quite as their files are. The path of the list."""
    return _write(folder / CONVERTED_NAME, "remark", remarks)


def _write(path: Path, column: str, rows: Iterable[tuple[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", column])
        writer.writerows(sorted(rows))
    return path
