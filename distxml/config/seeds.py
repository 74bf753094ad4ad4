"""Seeds that are a function of what they are for: the same in every process and on every machine."""

from distxml.digest import digest_of


def seed_from(*parts: object) -> int:
    """A 64-bit seed that is a function of its parts alone: the same in every process."""
    digest = digest_of("/".join(str(part) for part in parts))
    return int.from_bytes(bytes.fromhex(digest)[:8], "little")
