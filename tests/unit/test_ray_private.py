"""Each private name of Ray that distxml uses is still what distxml/ray_private takes it for; no Ray is started."""

import inspect
import re
from pathlib import Path

import pytest
import ray
from ray._private import services
from ray._private.accelerators import accelerator
from ray._private.state import actors
from ray.train.torch import TorchTrainer
from ray.train.v2._internal import constants, exceptions
from ray.train.v2._internal.callbacks.placement_group_callback import PlacementGroupCleanerCallback
from ray.train.v2._internal.execution.controller import placement_group_cleaner
from ray.train.v2._internal.execution.controller.placement_group_cleaner import PlacementGroupCleaner

from distxml.ray_private import RAY_VERSION
from distxml.ray_private.joining import QUIET, head_address
from distxml.ray_private.training import TrainedHere, cause_of_failure, is_actor_alive

REPOSITORY = Path(__file__).parents[2]


def test_the_version_that_the_names_were_read_in() -> None:
    assert ray.__version__ == RAY_VERSION, "read the names in distxml/ray_private anew, then change RAY_VERSION"


def test_the_address_of_the_head_can_be_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert list(inspect.signature(services.get_ray_address_from_environment).parameters) == ["addr", "temp_dir"]
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    assert head_address("") == head_address("auto") == "10.0.0.1:6379"


def test_fit_registers_its_handler_of_ctrl_c_with_the_method_that_is_replaced() -> None:
    assert list(inspect.signature(TorchTrainer._register_sigint_handler).parameters) == ["self", "controller"]
    assert list(inspect.signature(TrainedHere._register_sigint_handler).parameters) == ["self", "controller"]
    callers = [method for kind in TorchTrainer.__mro__ for method in vars(kind).values() if inspect.isfunction(method)]
    assert any("self._register_sigint_handler(controller)" in inspect.getsource(method) for method in callers)


def test_the_controller_starts_its_cleaner_and_the_cleaner_asks_by_the_names_that_are_replaced() -> None:
    starts = inspect.getsource(PlacementGroupCleanerCallback.after_controller_start)
    assert "ray.remote(num_cpus=0)(PlacementGroupCleaner)" in starts and "start_monitoring.remote()" in starts
    assert "is_actor_alive(\n" in inspect.getsource(PlacementGroupCleaner._monitor_loop)
    theirs = placement_group_cleaner.is_actor_alive  # pyright: ignore[reportPrivateImportUsage]
    assert [[*inspect.signature(one).parameters] for one in (theirs, is_actor_alive)] == [["actor_id", "timeout"]] * 2
    assert next(iter(inspect.signature(actors).parameters)) == "actor_id"


def test_ray_train_asks_for_its_callbacks_with_the_method_that_is_replaced() -> None:
    assert list(inspect.signature(TorchTrainer._create_default_callbacks).parameters) == ["self"]
    assert list(inspect.signature(TrainedHere._create_default_callbacks).parameters) == ["self"]
    assert "self._create_default_callbacks()" in inspect.getsource(TorchTrainer.fit)
    makes = inspect.getsource(TorchTrainer._create_default_callbacks)
    assert "PlacementGroupCleanerCallback()" in makes and "DatasetsCallback(" in makes


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
    launcher = (
        REPOSITORY / "tests/unit/cluster_files/test_ray_up.py"
    )  # what reads cluster/aws.yaml is Ray's, and private
    ours = {*(REPOSITORY / "distxml/ray_private").glob("*ing.py"), Path(__file__), launcher}
    paths = [path for folder in ("distxml", "tests", "benchmarks") for path in (REPOSITORY / folder).rglob("*.py")]
    found = {path for path in paths if private.search(path.read_text().replace("ray.__version__", ""))}
    assert found == ours
