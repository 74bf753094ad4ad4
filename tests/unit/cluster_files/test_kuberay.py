"""`cluster/kuberay/`: KubeRay's own fields, and Kubernetes' in the pods; what the run in it says."""

import shlex
from collections.abc import Iterator

import jsonschema
import kubernetes_validate
import pytest
import ray
import yaml

from distxml.config import Recipe, load_settings
from tests.unit.cluster_files.files import documents
from tests.unit.cluster_files.kuberay_schema import SCHEMAS

KUBERNETES = "1.32"
FILES = {"raycluster.yaml": "RayCluster", "rayjob.yaml": "RayJob"}


def document(name: str) -> dict:
    return documents(f"kuberay/{name}")[0]


def cluster_spec(name: str) -> dict:
    spec = document(name)["spec"]
    return spec["rayClusterSpec"] if name == "rayjob.yaml" else spec


def pods(name: str) -> Iterator[dict]:
    spec = cluster_spec(name)
    yield from (group["template"] for group in [spec["headGroupSpec"], *spec["workerGroupSpecs"]])


@pytest.mark.parametrize(("name", "kind"), FILES.items())
def test_kuberay_and_kubernetes_know_every_field(name: str, kind: str) -> None:
    jsonschema.validate(document(name), SCHEMAS[kind])
    for template in pods(name):
        pod = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "pod"}, "template": template}
        kubernetes_validate.validate(pod, KUBERNETES, strict=True)


def test_a_wrong_field_is_refused() -> None:
    wrong = document("raycluster.yaml")
    wrong["spec"]["headGroupSpec"]["template"]["spec"]["container"] = []
    with pytest.raises(kubernetes_validate.ValidationError):
        pod = {"apiVersion": "v1", "kind": "PodTemplate", "template": wrong["spec"]["headGroupSpec"]["template"]}
        kubernetes_validate.validate(pod, KUBERNETES, strict=True)
    wrong["spec"]["workerGroups"] = wrong["spec"].pop("workerGroupSpecs")
    with pytest.raises(jsonschema.ValidationError, match="workerGroups"):
        jsonschema.validate(wrong, SCHEMAS["RayCluster"])


def test_the_shared_folder_can_be_written_on_many_nodes() -> None:
    claim = document("storage.yaml")
    kubernetes_validate.validate(claim, KUBERNETES, strict=True)
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]


@pytest.mark.parametrize("name", FILES)
def test_pods_share_a_folder_and_run_as_nobody_special(name: str) -> None:
    claim = document("storage.yaml")["metadata"]["name"]
    for template in pods(name):
        assert template["spec"]["securityContext"]["runAsNonRoot"]
        assert template["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim
        assert template["spec"]["containers"][0]["volumeMounts"][0]["mountPath"] == "/shared"


@pytest.mark.parametrize("name", FILES)
def test_the_cluster_is_rays_version_with_a_token_and_grows(name: str) -> None:
    spec = cluster_spec(name)
    assert spec["rayVersion"] == ray.__version__
    assert spec["authOptions"] == {"mode": "token"} and spec["enableInTreeAutoscaling"]


def test_the_job_trains_what_its_workers_have_room_for() -> None:
    spec = document("rayjob.yaml")["spec"]
    program, command, recipe, *overrides = shlex.split(spec["entrypoint"])
    settings = load_settings(Recipe, recipe, overrides)
    workers = cluster_spec("rayjob.yaml")["workerGroupSpecs"][0]
    assert (program, command, settings.run.name) == ("distxml", "train", spec["jobId"])
    assert settings.run_folder.is_relative_to("/shared") and settings.dataset.path.startswith("/shared/")
    assert settings.scaling.workers <= workers["minReplicas"] and settings.scaling.gpus_per_worker == 1
    assert yaml.safe_load(spec["runtimeEnvYAML"])["env_vars"] == documents("runtime-env.yaml")[0]["env_vars"]
