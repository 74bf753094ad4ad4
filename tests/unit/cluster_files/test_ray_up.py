"""`cluster/aws.yaml` and `cluster/gcp.yaml`, as `ray up` reads them; AWS's against a stand-in for EC2."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
import yaml
from moto import mock_aws
from ray.autoscaler._private.aws.config import bootstrap_aws
from ray.autoscaler._private.aws.node_provider import AWSNodeProvider
from ray.autoscaler._private.util import prepare_config, validate_config

from tests.unit.cluster_files.files import CLUSTER, documents

ACCOUNT = "123456789012"
AN_IMAGE = "ami-12c6146b"
"""One that moto knows."""


def cluster(name: str) -> dict:
    """With Ray's defaults filled in, and checked against Ray's own schema."""
    config = prepare_config(documents(f"{name}.yaml")[0])
    validate_config(config)
    return config


@pytest.mark.parametrize("name", ["aws", "gcp"])
def test_it_is_a_cluster_of_spot_workers_around_a_head(name: str) -> None:
    config = cluster(name)
    types = config["available_node_types"]
    head, workers = types.pop(config["head_node_type"]), types
    assert head["resources"] == {"CPU": 0} and "SPOT" not in str(head).upper()
    assert set(workers) == {"gpu", "cpu"} and all("SPOT" in str(kind).upper() for kind in workers.values())
    assert all(kind["max_workers"] > kind["min_workers"] for kind in workers.values()), "they come and go"


@pytest.mark.parametrize("name", ["aws", "gcp"])
def test_the_token_is_the_same_everywhere_and_the_dashboard_stays_on_loopback(name: str) -> None:
    config = cluster(name)
    assert config["file_mounts"] == {"/home/distxml/.ray/auth_token": "~/.ray/auth_token"}
    assert "--dashboard-host=127.0.0.1" in config["head_start_ray_commands"][-1]


def test_what_the_head_starts_machines_with_is_pinned() -> None:
    pinned = (CLUSTER.parent / "constraints.txt").read_text().splitlines()
    assert documents("aws.yaml")[0]["head_setup_commands"][0].split()[-1] in pinned


def test_a_wrong_key_is_refused() -> None:
    config = documents("aws.yaml")[0] | {"idle_minutes": 3}
    with pytest.raises(Exception, match="idle_minutes"):
        validate_config(prepare_config(config))


@pytest.fixture
def ec2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A stand-in that has the two instance profiles of docs/cluster/ray-up.md."""
    (tmp_path / ".ssh").mkdir()
    for name, value in {
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        iam = boto3.client("iam", region_name="us-west-2")
        for profile in ("distxml-head", "distxml-worker"):
            iam.create_instance_profile(InstanceProfileName=profile)
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("ec2")
def test_rays_launcher_starts_the_machines_of_aws() -> None:
    text = (CLUSTER / "aws.yaml").read_text().replace("REPLACE_ACCOUNT", ACCOUNT).replace("ami-REPLACE", AN_IMAGE)
    config = _bootstrapped(text)
    provider = AWSNodeProvider(config["provider"], config["cluster_name"])
    for kind in ("head", "gpu", "cpu"):
        tags = {"ray-node-type": "head" if kind == "head" else "worker", "ray-user-node-type": kind}
        provider.create_node(config["available_node_types"][kind]["node_config"], tags, 1)
    assert config["available_node_types"]["gpu"]["resources"]["GPU"] == 1
    started = boto3.client("ec2", region_name="us-west-2").describe_instances()["Reservations"]
    machines = [reservation["Instances"][0] for reservation in started]
    assert [machine["InstanceType"] for machine in machines] == ["m7i.xlarge", "g6.2xlarge", "c7i.4xlarge"]
    assert [machine.get("InstanceLifecycle") for machine in machines] == [None, "spot", "spot"]


def _bootstrapped(text: str) -> dict:
    config = prepare_config(yaml.safe_load(text))
    validate_config(config)
    return bootstrap_aws(AWSNodeProvider.fillout_available_node_types_resources(config))
