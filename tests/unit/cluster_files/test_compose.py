"""`cluster/compose.yaml` against the Compose specification."""

import compose_spec
import pytest

from tests.unit.cluster_files.files import CLUSTER, documents


def parse(text: str) -> compose_spec.PyCompose:
    parsed = compose_spec.PyOptions(apply_merge=True).from_yaml(text)
    parsed.validate()
    return parsed


def test_it_is_a_head_two_workers_and_an_s3_server() -> None:
    parsed = parse((CLUSTER / "compose.yaml").read_text())
    assert sorted(parsed.service_names()) == ["bucket", "head", "s3", "worker"]
    services = documents("compose.yaml")[0]["services"]
    assert services["worker"]["deploy"] == {"replicas": 2}
    assert services["head"]["ports"] == ["127.0.0.1:8265:8265"], "from other machines nobody reaches it"


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("shm_size", "shmsize"), ("service_healthy", "healthy"), ("shared:/shared", "other:/shared")],
)
def test_what_is_wrong_is_refused(right: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=r"shmsize|healthy|other"):
        parse((CLUSTER / "compose.yaml").read_text().replace(right, wrong))


def test_no_secret_is_in_it() -> None:
    text = (CLUSTER / "compose.yaml").read_text()
    assert "${RAY_AUTH_TOKEN:?" in text and text.count("${S3_SECRET_KEY:?") == 2
    assert "/cluster/.env" in (CLUSTER.parent / ".gitignore").read_text().splitlines()
