"""Decision flips, one step at a time."""

from collections.abc import Sequence


def flips(logits: Sequence[Sequence[float]]) -> float:
    """Share of the steps x(0) ... x(L) at which the class of x(0) is beaten; logits of each step."""
    start = list(logits[0])
    predicted = start.index(max(start))
    beaten = 0
    for step in logits:
        beaten += any(other > step[predicted] for other in step)
    return beaten / len(logits)
