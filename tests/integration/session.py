"""Runs `distxml` commands one after the other in this process: one per line of standard input, its words as JSON.

Answers each with a line of JSON: exit status, what it printed, what it printed on standard error. All of them share the
seconds that Python and torch take to start; between two of them Ray is left.
"""

import json
import sys
from pathlib import Path

import ray

from tests.integration.command import distxml_in_process


def main() -> None:
    answers = sys.stdout
    for line in sys.stdin:
        done = distxml_in_process(*json.loads(line), cwd=Path.cwd())
        ray.shutdown()
        print(json.dumps([done.returncode, done.stdout, done.stderr]), file=answers, flush=True)


if __name__ == "__main__":
    main()
