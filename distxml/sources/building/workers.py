"""The processes of a build."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import wait
from typing import TypeVar

import cv2

from distxml.errors import UserError

Task = TypeVar("Task")
Result = TypeVar("Result")

TASKS_AHEAD = 3
"""Tasks per process that are handed out before the first of them is done."""


@dataclass
class Workers:
    """Up to `number` processes, started when first needed; 1 stands for this process."""

    number: int
    pool: ProcessPoolExecutor | None = None

    def results(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
        """`function` of every task, each as soon as it is done, whatever the order.

        Raises:
            UserError: a process died, or what the function raises.
        """
        if self.number == 1 or len(tasks) < 2:
            yield from map(function, tasks)
            return
        try:
            yield from self._from_pool(function, tasks)
        except BrokenProcessPool:
            raise UserError(
                "a process of the build died, perhaps for want of memory; "
                "the same command resumes where it stopped, with fewer processes by --workers"
            ) from None

    def _from_pool(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
        self.pool = self.pool or _pool(self.number, function.__module__)
        remaining = iter(tasks)
        handed_out = {self.pool.submit(function, task) for task in islice(remaining, TASKS_AHEAD * self.number)}
        while handed_out:
            done, handed_out = futures.wait(handed_out, return_when=futures.FIRST_COMPLETED)
            handed_out |= {self.pool.submit(function, task) for task in islice(remaining, len(done))}
            yield from (future.result() for future in done)


@contextmanager
def workers(number: int) -> Iterator[Workers]:
    """Processes for the length of a `with` block; at its end what they have begun is finished, the rest dropped."""
    started = Workers(number)
    try:
        yield started
    finally:
        if started.pool is not None:
            started.pool.shutdown(wait=True, cancel_futures=True)


def _pool(number: int, module: str) -> ProcessPoolExecutor:
    """From a fork server that imports `module` once: processes start from clean imports, without this one's threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module])
    return ProcessPoolExecutor(number, mp_context=context, initializer=_begin)


def _begin() -> None:
    """A keyboard interrupt is the parent's to handle; when that dies, its processes must not write on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
