"""Where a dataset lies: a folder of this machine, or a URI such as `s3://bucket/folder`."""

from pathlib import Path


def is_uri(location: str) -> bool:
    """Whether a location is a URI rather than a path."""
    return "://" in location


def absolute(location: str) -> str:
    """A location that means the same from any working directory."""
    return location if is_uri(location) else str(Path(location).resolve())
