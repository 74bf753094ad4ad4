"""What several integration tests start from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.command import build_polygons
from tests.integration.ray_cluster import RayCluster, ray_cluster
from tests.integration.watched_run import WatchedRun
from tests.made_once import made_once


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder, with a space and a quote in its name, that holds a small dataset."""
    folder = tmp_path_factory.mktemp("it's a place")
    build_polygons(folder)
    return folder


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> WatchedRun:
    """With a Ray and a dataset of its own; what the runs that a test disturbs must end equal to."""

    def train(folder: Path) -> None:
        folder.mkdir()
        build_polygons(folder)
        run = WatchedRun(folder, "left alone")
        run.start()
        run.finish()

    return WatchedRun(made_once(tmp_path_factory, "it's left alone", train), "left alone")


@pytest.fixture(scope="session")
def whole_cluster() -> Iterator[RayCluster]:
    with ray_cluster() as cluster:
        yield cluster


@pytest.fixture
def cluster(whole_cluster: RayCluster) -> Iterator[RayCluster]:
    """Whatever the test before has lost is there again."""
    yield whole_cluster
    if not whole_cluster.whole:
        whole_cluster.add_node()
