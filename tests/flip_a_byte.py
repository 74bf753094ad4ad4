"""What a bad disk or a bad copy does to a file."""

from pathlib import Path


def flip_a_byte(path: Path, place: int = -9) -> None:
    """Change one byte; a file that shares its content with this one, by a hard link, stays as it is."""
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.unlink()
    path.write_bytes(content)
