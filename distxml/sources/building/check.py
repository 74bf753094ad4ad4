"""Looks at every image once before anything is written, in the processes of a build."""

from collections.abc import Sequence
from dataclasses import dataclass

from distxml.config.images import ImageRules
from distxml.data.digest import rows_digest
from distxml.digest import digest_of
from distxml.sources.building.journal import BuildJournal, CheckedItem
from distxml.sources.building.workers import Workers
from distxml.sources.material import Item, Track, Unusable

ITEMS_PER_TASK = 16


@dataclass(frozen=True)
class CheckTask:
    """Items to look at, with their numbers in the source's list."""

    numbers: tuple[int, ...]
    items: tuple[Item, ...]
    rules: ImageRules


def check_items(task: CheckTask) -> list[CheckedItem]:
    """What becomes of each item.

    Raises:
        UserError: the build must stop.
    """
    return [_check(number, item, task.rules) for number, item in zip(task.numbers, task.items, strict=True)]


def check_all(
    items: Sequence[Item], rules: ImageRules, journal: BuildJournal, processes: Workers, track: Track
) -> list[CheckedItem]:
    """What became of every item, in their order; what the journal knows is not looked at again.

    Args:
        items: of the source.
        rules: for images.
        journal: knows what was checked, and is told what is.
        processes: that check.
        track: shows progress.

    Raises:
        UserError: an image or annotation is such that the build must stop.
    """
    known = {one.number: one for one in journal.checked if one.number < len(items)}
    open_numbers = [number for number in range(len(items)) if number not in known]
    tasks = []
    for start in range(0, len(open_numbers), ITEMS_PER_TASK):
        numbers = tuple(open_numbers[start : start + ITEMS_PER_TASK])
        tasks.append(CheckTask(numbers, tuple(items[number] for number in numbers), rules))
    results = processes.results(check_items, tasks)
    for _, checked in zip(track(tasks, "checking images"), results, strict=True):
        journal.add_checked(checked)
        known |= {one.number: one for one in checked}
    return [known[number] for number in range(len(items))]


def _check(number: int, item: Item, rules: ImageRules) -> CheckedItem:
    try:
        row = item.row(rules)
    except Unusable as reason:
        return CheckedItem(number=number, reason=str(reason))
    image = digest_of(row.image)
    return CheckedItem(number=number, image=image, row=rows_digest([row]), remark=row.remark)
