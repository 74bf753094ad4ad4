"""What the sampler must give, told slowly: batches as sets, and how long each row group stays in memory."""

from collections.abc import Sequence


def whole_batches(parts_of_ranks: Sequence[Sequence[Sequence[int]]]) -> list[list[int]]:
    """Each step's rows over all ranks."""
    return [[row for part in step for row in part] for step in zip(*parts_of_ranks, strict=True)]


def max_rows_held_at_once(group_rows: Sequence[int], steps: Sequence[Sequence[int]]) -> int:
    """Rows in memory at the worst moment, where a group comes with its first row and goes with its last one."""
    group_of = [group for group, rows in enumerate(group_rows) for _ in range(rows)]
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    asked = [group_of[row] for step in steps for row in step]
    for moment, group in enumerate(asked):
        first.setdefault(group, moment)
        last[group] = moment
    return max(
        (
            sum(group_rows[group] for group in first if first[group] <= moment <= last[group])
            for moment in range(len(asked))
        ),
        default=0,
    )
