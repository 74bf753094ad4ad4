"""Where the tests' Ray lives: apart from every other Ray on the machine.

`ray start` notes its head in the temporary folder, and RAY_ADDRESS may name one: a test that joined it would compute on
a stranger's cluster, or end it. So a test session starts Ray locally, in a temporary folder of its own.
"""

import tempfile
from collections.abc import MutableMapping


def keep_ray_apart(environment: MutableMapping[str, str]) -> str:
    """Change the environment of this process, and so of all that it starts; the new temporary folder.

    Sockets lie in the folder, and their names have at most 107 characters: so it lies in /tmp, whatever TMPDIR is.
    """
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")
    for name in [name for name in environment if name.startswith("RAY_")]:
        del environment[name]
    environment["RAY_ADDRESS"] = "local"
    environment["RAY_TMPDIR"] = folder
    environment["RAY_USAGE_STATS_ENABLED"] = "0"
    return folder
