"""Names from data may hold characters that steer a terminal."""


def printable(text: str) -> str:
    """`text` in one line, whatever cannot be printed escaped."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
