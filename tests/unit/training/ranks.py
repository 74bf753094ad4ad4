"""Runs a function on several real gloo ranks, one process each."""

import socket
from collections.abc import Callable
from pathlib import Path

import torch
import torch.distributed as dist
from torch.multiprocessing.spawn import spawn


def run_on_ranks(function: Callable[[int, int, Path], None], ranks: int, folder: Path) -> None:
    """Calls `function(rank, ranks, folder)` in `ranks` processes that share a process group."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    spawn(_enter, args=(function, ranks, folder, port), nprocs=ranks)


def _enter(rank: int, function: Callable[[int, int, Path], None], ranks: int, folder: Path, port: int) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=ranks)
    try:
        function(rank, ranks, folder)
    finally:
        dist.destroy_process_group()
