"""How many decimals two numbers need that are printed side by side."""

MAX_DIGITS = 9


def digits_apart(low: float, high: float, digits: int) -> int:
    """At least `digits`, and as many more (up to `MAX_DIGITS`) as the ends of an interval need to look different."""
    while float(f"{low:.{digits}f}") == float(f"{high:.{digits}f}") and digits < MAX_DIGITS:
        digits += 1
    return digits
