"""A test that starts a process is found out, whichever way it starts it; so is one that would join a stranger's Ray."""

from pathlib import Path

import pytest

from distxml.ray_private.joining import head_address
from tests.ray_of_its_own import keep_ray_apart

CONFTEST = """
from tests.quick_guard import QuickGuard

def pytest_configure(config):
    config.addinivalue_line("markers", "slow: as everywhere")
    config.pluginmanager.register(QuickGuard())
"""

TESTS = """
import ctypes.util, multiprocessing, os, subprocess
import pytest

def test_without():
    ctypes.util.find_library("c")  # asks ldconfig

def test_subprocess():
    subprocess.run(["true"], check=True)

def test_fork():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)

def test_spawn():
    process = multiprocessing.get_context("spawn").Process(target=int)
    process.start()
    process.join()

@pytest.fixture
def started():
    subprocess.run(["true"], check=True)

def test_fixture(started):
    pass

@pytest.mark.slow
def test_marked(started):
    subprocess.run(["true"], check=True)
"""


@pytest.mark.slow
def test_what_starts_a_process_must_be_marked(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=2, failed=3, errors=1)
    result.stdout.fnmatch_lines_random(
        [f"*mark it slow, or start nothing: it started {how}*" for how in ("subprocess.Popen true", "os.fork")]
        + ["*it started multiprocessing SpawnProcess-*"]
    )


def test_a_head_that_is_noted_on_the_machine_is_not_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray/ray_current_cluster").write_text("192.0.2.1:6379")
    environment = {"RAY_TMPDIR": str(tmp_path)}
    assert joined(monkeypatch, environment) == "192.0.2.1:6379", "as `ray start` leaves it"
    environment["RAY_ADDRESS"] = "192.0.2.1:6379"
    own = keep_ray_apart(environment)
    assert joined(monkeypatch, environment) == "local"
    del environment["RAY_ADDRESS"]  # as tests do that start a cluster of their own
    assert joined(monkeypatch, environment) is None
    Path(own).rmdir()


def joined(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> str | None:
    """The address that Ray would join in this environment."""
    for name in ("RAY_ADDRESS", "RAY_TMPDIR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return head_address("")
