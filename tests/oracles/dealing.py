"""What dealing must give, told slowly: batches as sets, and how long each row group stays in memory."""

from collections.abc import Sequence


def whole_batches(parts_of_ranks: Sequence[Sequence[Sequence[int]]]) -> list[list[int]]:
    """Each step's rows over all ranks."""
    return [[row for part in step for row in part] for step in zip(*parts_of_ranks, strict=True)]


def most_rows_held_at_once(group_rows: Sequence[int], steps: Sequence[Sequence[int]]) -> int:
    """Rows in memory at the worst moment, where a group comes with its first row and goes with its last one."""
    group_of = [group for group, rows in enumerate(group_rows) for _ in range(rows)]
    asked = [group_of[row] for step in steps for row in step]
    worst = 0
    for moment in range(len(asked)):
        here = {group for group in asked[: moment + 1] if group in asked[moment:]}
        worst = max(worst, sum(group_rows[group] for group in here))
    return worst
