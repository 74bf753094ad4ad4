#!/usr/bin/env python3
"""Runs a `distxml` command as a Ray job, follows its log, and ends with its exit status.

    cluster/submit.py [--address=URL] [--working-dir=FOLDER | --in=FOLDER] NAME COMMAND ...
    cluster/submit.py polygons train polygons run.folder=/shared/runs scaling.workers=4

NAME is the job's submission id and, for `train`, the run's name. The same command again follows the job while it is at
work, and afterwards starts it anew, which resumes the run. Ctrl-C ends the following, not the job: `ray job stop NAME`.
The folder that you stand in travels with the job, except what .gitignore, .rayignore and runtime-env.yaml name. Where
all nodes share a folder, the job may work in it instead: --in=FOLDER.
"""

import argparse
import asyncio
import logging
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from ray.job_submission import JobDetails, JobSubmissionClient

RUNTIME_ENVIRONMENT = Path(__file__).with_name("runtime-env.yaml")
TUNNEL = "http://127.0.0.1:8265"
"""The dashboard on the head itself, and where a tunnel to it ends on a laptop."""

FOLDER_SETTINGS = ("folder", "path", "cache", "checkpoint")
"""Last words of settings that name something on the nodes' disks."""

FAILED, REFUSED = 1, 2


def main() -> int:
    request = _parse()
    refusal = None if request.folder else _refusal(request.words)
    if refusal:
        print(f"submit: {refusal}", file=sys.stderr)
        return REFUSED
    os.environ.setdefault("RAY_AUTH_MODE", "token")  # before Ray is imported
    from ray.exceptions import RayError

    try:
        client = _client(request.address)
        _start_unless_at_work(client, request)
        return _follow(client, request.name)
    except KeyboardInterrupt:
        print(f"\nno longer followed, still at work: {request.name}; `ray job stop {request.name}` stops it")
        return 130
    except (ConnectionError, RuntimeError, RayError) as error:
        print(f"submit: {request.address}: {_first_line(error)}; {_remedy()}", file=sys.stderr)
        return REFUSED


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="of the job and of the run")
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND ...", help="what comes after `distxml`")
    parser.add_argument("--address", default=os.environ.get("RAY_API_SERVER_ADDRESS", TUNNEL), help="the dashboard's")
    parser.add_argument("--working-dir", default=".", help="the folder that travels with the job")
    parser.add_argument("--in", dest="folder", help="a folder of the nodes to work in; then nothing travels")
    request = parser.parse_args()
    if not request.words:
        parser.error("what is to be run? for example: train polygons run.folder=/shared/runs")
    return request


def _refusal(words: list[str]) -> str | None:
    """What must not be submitted: a job works in a copy of the folder, which Ray deletes with all that is in it."""
    settings = dict(word.split("=", 1) for word in words if "=" in word)
    for name, value in settings.items():
        if name.rpartition(".")[2] in FOLDER_SETTINGS and not (value.startswith("/") or "://" in value):
            return f"{name}={value}: give the whole path, as the nodes see it: a job works in a copy of this folder"
    if words[0] == "train" and "run.folder" not in settings:
        return "run.folder is missing: name a folder that all nodes share, or a URI: run.folder=s3://bucket/runs"
    return None


def _client(address: str) -> "JobSubmissionClient":
    for name in ("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS"):  # the client would take them before what it is given
        os.environ.pop(name, None)
    from ray.job_submission import JobSubmissionClient

    logging.disable(logging.INFO)  # when its connection opens and closes
    return JobSubmissionClient(address)


def _start_unless_at_work(client: "JobSubmissionClient", request: argparse.Namespace) -> None:
    before = _job(client, request.name)
    if before is not None and not before.status.is_terminal():
        print(f"already at work, and followed from here on: {request.name}")
        return
    if before is not None:  # Ray takes a submission id once
        client.delete_job(request.name)
    client.submit_job(
        entrypoint=_entrypoint(request), submission_id=request.name, runtime_env=_runtime_environment(request)
    )
    print(f"submitted: {request.name}; `ray job logs --follow {request.name}` follows it from anywhere", flush=True)


def _entrypoint(request: argparse.Namespace) -> str:
    words = ["distxml", *request.words]
    if request.words[0] == "train":
        words.append(f"run.name={request.name}")
    command = shlex.join(words)
    return f"cd {shlex.quote(request.folder)} && exec {command}" if request.folder else f"exec {command}"


def _runtime_environment(request: argparse.Namespace) -> dict:
    shipped = yaml.safe_load(RUNTIME_ENVIRONMENT.read_text())
    return shipped if request.folder else shipped | {"working_dir": request.working_dir}


def _job(client: "JobSubmissionClient", name: str) -> "JobDetails | None":
    return next((job for job in client.list_jobs() if job.submission_id == name), None)


def _follow(client: "JobSubmissionClient", name: str) -> int:
    """The exit status of the job's command, once it has ended."""
    asyncio.run(_print_log(client, name))
    job = client.get_job_info(name)
    print(f"{job.status.value.lower()}: {name}", flush=True)
    return 0 if job.status == "SUCCEEDED" else job.driver_exit_code or FAILED


async def _print_log(client: "JobSubmissionClient", name: str) -> None:
    async for lines in client.tail_job_logs(name):
        print(lines, end="", flush=True)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__


def _remedy() -> str:
    return "is the head up, the tunnel open, and ~/.ray/auth_token (or RAY_AUTH_TOKEN) the same as on the head?"


if __name__ == "__main__":
    sys.exit(main())
