"""Ray's private names that distxml uses, all of them, as they are in Ray 2.60.0 (pinned in pyproject.toml).

They may change with any version of Ray: tests/unit/test_ray_private.py looks each of them up in the Ray that is
installed, and says which is no longer what this package takes it for.
"""

RAY_VERSION = "2.60.0"
"""What this package was read against."""
