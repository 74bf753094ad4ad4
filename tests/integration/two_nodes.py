"""A Ray cluster of two nodes of one CPU each on this machine, in a process of its own, ruled over its standard input.

Prints its address when it is up; then reads one command per line: `lose` ends the node that is not the head as a power
cut would, `add` brings another. Ends with its input.
"""

import sys
from typing import Any

from ray.cluster_utils import Cluster

NODE: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 200 * 1024**2}


def main() -> None:
    cluster = Cluster(initialize_head=True, head_node_args=NODE | {"include_dashboard": False})
    other = cluster.add_node(**NODE)
    print(cluster.address, flush=True)
    for line in sys.stdin:
        if line.strip() == "lose":
            cluster.remove_node(other, allow_graceful=False)
        else:
            other = cluster.add_node(**NODE)
        print("done", flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main()
