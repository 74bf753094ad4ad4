"""Where a dataset or a run lies: a folder of this machine, or a URI such as `s3://bucket/folder`."""

from pathlib import Path


def is_uri(location: str) -> bool:
    """Whether a location is a URI rather than a path."""
    return "://" in location


def joined(location: str, name: str) -> str:
    """A folder within a folder; the query of a URI stays at its end."""
    if not is_uri(location):
        return str(Path(location) / name)
    place, mark, query = location.partition("?")
    scheme, _, path = place.partition("://")
    return f"{scheme}://{path.rstrip('/')}/{name}{mark}{query}"


def absolute(location: str) -> str:
    """A location that means the same from any working directory."""
    return location if is_uri(location) else str(Path(location).resolve())
