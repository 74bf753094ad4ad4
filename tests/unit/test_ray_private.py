"""Each private name of Ray that distxml uses is still what distxml/ray_private.py takes it for; no Ray is started."""

import inspect
import re
from pathlib import Path

import pytest
import ray
from ray._private import services
from ray._private.accelerators import accelerator
from ray.train.torch import TorchTrainer
from ray.train.v2._internal import constants, exceptions

from distxml.ray_private import QUIET, RAY_VERSION, StoppedOnRequest, cause_of_failure, head_address

REPOSITORY = Path(__file__).parents[2]


def test_the_version_that_the_names_were_read_in() -> None:
    assert ray.__version__ == RAY_VERSION, "read the names in distxml/ray_private.py anew, then change RAY_VERSION"


def test_the_address_of_the_head_can_be_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert list(inspect.signature(services.get_ray_address_from_environment).parameters) == ["addr", "temp_dir"]
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    assert head_address("") == head_address("auto") == "10.0.0.1:6379"


def test_fit_registers_its_handler_of_ctrl_c_with_the_method_that_is_replaced() -> None:
    assert list(inspect.signature(TorchTrainer._register_sigint_handler).parameters) == ["self", "controller"]
    assert list(inspect.signature(StoppedOnRequest._register_sigint_handler).parameters) == ["self", "controller"]
    callers = [method for kind in TorchTrainer.__mro__ for method in vars(kind).values() if inspect.isfunction(method)]
    assert any("self._register_sigint_handler(controller)" in inspect.getsource(method) for method in callers)


def test_a_failed_health_check_holds_its_cause() -> None:
    cause = ValueError("dead")
    assert cause_of_failure(exceptions.WorkerHealthCheckFailedError("check failed", cause)) is cause
    assert cause_of_failure(cause) is cause


def test_the_environment_variables_are_still_read() -> None:
    assert set(QUIET) == {
        constants.ENABLE_PREEMPTION_WATCHER_ENV_VAR,
        accelerator.RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO_ENV_VAR,
    }


def test_no_other_file_uses_a_private_name() -> None:
    private = re.compile(r"ray(\.\w+)*\._\w|from ray(\.\w+)* import _|_register_sigint_handler|health_check_failure")
    ours = {REPOSITORY / "distxml/ray_private.py", Path(__file__)}
    paths = [path for folder in ("distxml", "tests", "benchmarks") for path in (REPOSITORY / folder).rglob("*.py")]
    found = {path for path in paths if private.search(path.read_text().replace("ray.__version__", ""))}
    assert found == ours
