"""Lists beside the data, made when a dataset was built.

`rejected.csv` (columns `file`, `reason`): files that were left out. `converted.csv` (columns `file`, `remark`): images
that are in, but are not quite what their files are: converted, or named as something else.
"""

import csv
import io

from distxml.data.location import Location

REJECTED_NAME = "rejected.csv"
CONVERTED_NAME = "converted.csv"


def count_left_out(folder: Location) -> int | None:
    """Number of files listed in a dataset's `rejected.csv`; None where there is no such list."""
    return _count(folder, REJECTED_NAME)


def count_converted(folder: Location) -> int | None:
    """Number of images listed in a dataset's `converted.csv`; None where there is no such list."""
    return _count(folder, CONVERTED_NAME)


def _count(folder: Location, name: str) -> int | None:
    if not folder.holds(name):
        return None
    text = folder.read(name).decode("utf-8", errors="replace")
    return sum(1 for _ in csv.DictReader(io.StringIO(text, newline="")))
