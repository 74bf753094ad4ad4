"""No YAML of `cluster/` is shipped that no test of this folder reads."""

from pathlib import Path

from tests.unit.cluster_files.files import CLUSTER, documents


def test_every_yaml_is_read_by_a_test() -> None:
    shipped = sorted(CLUSTER.rglob("*.yaml"))
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py") if path.name != "test_all.py")
    assert len(shipped) >= 7
    for path in shipped:
        assert documents(str(path.relative_to(CLUSTER)))
        assert f'"{path.name}"' in tests or f'"{path.relative_to(CLUSTER)}"' in tests, f"no test reads {path}"
