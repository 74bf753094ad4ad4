"""Seeds that are a function of what they are for: the same in every process and on every machine."""

import hashlib


def seed_from(*parts: object) -> int:
    """A 64-bit seed that is a function of its parts alone: the same in every process."""
    digest = hashlib.sha256("/".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(digest[:8], "little")
