"""Which workers fit on which nodes, and what an address that leads nowhere says."""

import socket
import time
from collections.abc import Iterator

import pytest
import ray
from hypothesis import given
from hypothesis import strategies as st

from distxml.capacity import NodeResources, check_fit
from distxml.cluster import check_reachable, connect
from distxml.errors import UserError


def node(cpus: float, gpus: float = 0, address: str = "10.0.0.1") -> NodeResources:
    return NodeResources(address, cpus, gpus)


def filled(cpus: int, gpus: int, cpus_per_worker: int, gpu_share: float) -> int:
    """Place one worker after the other on a node whose GPUs are separate things, in ten-thousandths as Ray counts."""
    share, free, placed = round(gpu_share * 10_000), [10_000] * gpus, 0
    while cpus >= cpus_per_worker:
        if 0 < share < 10_000:
            device = next((index for index, left in enumerate(free) if left >= share), None)
            if device is None:
                break
            free[device] -= share
        elif share:
            whole = share // 10_000
            if sum(left == 10_000 for left in free) < whole:
                break
            free = free[whole:]
        cpus, placed = cpus - cpus_per_worker, placed + 1
    return placed


@given(
    st.integers(0, 20), st.integers(0, 8), st.integers(1, 6), st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.5, 0.6, 1.0, 2.0])
)
def test_a_node_takes_as_many_workers_as_can_be_placed(cpus: int, gpus: int, each: int, share: float) -> None:
    assert node(cpus, gpus).workers(each, share) == filled(cpus, gpus, each, share)


@given(st.lists(st.integers(0, 6), max_size=6), st.integers(1, 8), st.integers(1, 4))
def test_workers_are_accepted_where_each_finds_a_node(nodes: list[int], workers: int, cpus: int) -> None:
    fits = sum(there // cpus for there in nodes) >= workers
    try:
        check_fit([node(there) for there in nodes], workers, cpus, 0)
    except UserError:
        assert not fits
    else:
        assert fits


def test_too_few_cpus_together() -> None:
    with pytest.raises(UserError, match=r"scaling\.workers=5: they reserve 10 CPUs together, but the cluster has 8"):
        check_fit([node(4), node(4)], 5, 2, 0)


def test_enough_together_but_not_on_one_node() -> None:
    with pytest.raises(UserError) as caught:
        check_fit([node(3), node(3, address="10.0.0.2")], 3, 2, 0)
    assert str(caught.value) == (
        "scaling.workers=3: only 2 fit, because each needs 2 CPUs on one node, and there are node 10.0.0.1 with "
        "3 CPUs, node 10.0.0.2 with 3 CPUs; lower scaling.workers or scaling.cpus_per_worker, or add nodes"
    )


def test_gpus_without_cpus_beside_them() -> None:
    with pytest.raises(UserError, match=r"1 CPU and 1 GPU on one node.*with 8 CPUs, .* 1 CPU and 4 GPUs") as caught:
        check_fit([node(8), node(1, 4)], 2, 1, 1)
    assert "scaling.gpus_per_worker" in str(caught.value)


def test_a_big_cluster_is_not_listed_whole() -> None:
    with pytest.raises(UserError, match="192 more nodes; lower") as caught:
        check_fit([node(1)] * 200, 3, 2, 0)
    assert len(str(caught.value)) < 500


@pytest.fixture
def not_joined() -> None:
    """Whatever Ray another test has left behind is gone: it would be taken."""
    ray.shutdown()


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_something_that_listens_is_reachable(listening: int) -> None:
    for address in (f"127.0.0.1:{listening}", f"ray://127.0.0.1:{listening}", f"localhost:{listening}"):
        check_reachable(address, "RAY_ADDRESS")


@pytest.mark.usefixtures("not_joined")
@pytest.mark.parametrize("prefix", ["", "ray://"])
def test_a_port_where_nobody_listens(listening: int, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but not listening
        address = f"{prefix}127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("RAY_ADDRESS", address)
        start = time.monotonic()
        with pytest.raises(UserError) as caught:
            connect(1, 1, 0)
    assert time.monotonic() - start < 2
    assert str(caught.value).startswith(
        f"RAY_ADDRESS={address}: cannot be reached (Connection refused); start the head"
    )


def test_a_head_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listener whose queue is full answers no more: the connection times out."""
    monkeypatch.setattr("distxml.cluster.SECONDS_TO_REACH_HEAD", 0.3)
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        with socket.create_connection(server.getsockname()):
            address = f"127.0.0.1:{server.getsockname()[1]}"
            with pytest.raises(UserError, match=r"cannot be reached \(no answer in 0\.3 s\)"):
                check_reachable(address, f"RAY_ADDRESS={address}")


@pytest.mark.usefixtures("not_joined")
@pytest.mark.parametrize("address", ["head", "head:", "head:http", "http://head:8265", "ray://", ":6379", "[::1"])
def test_what_is_no_address(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(UserError, match="is no address of a Ray cluster; set it to HOST:6379") as caught:
        connect(1, 1, 0)
    assert str(caught.value).startswith(f"RAY_ADDRESS={address}: ")
