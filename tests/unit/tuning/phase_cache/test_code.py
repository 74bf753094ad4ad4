"""Which code counts for a phase: what is imported, however it is imported, and wherever the package lies."""

import shutil
from pathlib import Path

import pytest

from distxml.tuning.phase_cache.code import INSTALLED, closure, code_digest
from distxml.tuning.phase_cache.key import SCORES, TRAINING, WITHOUT_EFFECT

SOURCES = {
    "__init__": "",
    "entry": "import house.plain\nfrom house import in_package\nfrom house.wing.deep import thing\n",
    "plain": "def later():\n    from house import in_a_function\n",
    "in_package": "NAMED = 'house.by_address:THING'\n",
    "in_a_function": "import os.path\nfrom house.plain import later\n",
    "by_address": "",
    "wing/__init__": "from .beside import thing\n",
    "wing/deep": "from ..relative import other\nfrom . import sibling\nthing = 'house.no_module'\n",
    "wing/beside": "thing = 1",
    "wing/sibling": "",
    "relative": "other = 1",
    "alone": "import house.entry\n",
}


@pytest.fixture
def house(tmp_path: Path) -> Path:
    for name, source in SOURCES.items():
        path = tmp_path / "house" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return tmp_path / "house"


def digest(package: Path, *entries: str) -> str:
    code_digest.cache_clear()
    return code_digest(entries or ("house.entry",), (), package)


def test_all_that_is_imported_is_found_and_nothing_else(house: Path) -> None:
    names = {f"house.{name}".replace("/", ".").removesuffix(".__init__") for name in SOURCES}
    found = closure(["house.entry"], package=house)
    assert found.keys() == names - {"house.alone"}
    assert found["house.wing"] == house / "wing" / "__init__.py"


def test_what_is_left_out_is_not_followed_either(house: Path) -> None:
    found = closure(["house.entry"], ["house.wing", "house.plain"], house)
    assert found.keys() == {"house", "house.entry", "house.in_package", "house.by_address"}


def test_another_source_or_another_name_is_another_digest(house: Path) -> None:
    before = digest(house)
    (house / "alone.py").write_text("changed = True")
    assert digest(house) == before, "nothing that counts imports it"
    (house / "relative.py").write_text("other = 2")
    assert digest(house) != before
    (house / "relative.py").write_text(SOURCES["relative"])
    assert digest(house) == before
    (house / "relative.py").rename(house / "renamed.py")
    (house / "wing" / "deep.py").write_text(SOURCES["wing/deep"].replace("..relative", "..renamed"))
    assert digest(house) != before


@pytest.mark.parametrize("moved", ["plain", "by_address", "wing/beside", "wing/deep", "entry"])
def test_code_that_is_not_where_it_is_imported_from_is_missed_loudly(house: Path, moved: str) -> None:
    (house / f"{moved}.py").rename(house / "elsewhere.py")
    with pytest.raises(ModuleNotFoundError, match=f"house.{moved.replace('/', '.')} has no file in"):
        closure(["house.entry"], package=house)


def test_training_counts_wherever_it_is_installed_and_a_new_file_counts_once_it_is_imported(tmp_path: Path) -> None:
    def found() -> str:
        code_digest.cache_clear()
        return code_digest(TRAINING + SCORES, tuple(WITHOUT_EFFECT), copy)

    copy = Path(shutil.copytree(INSTALLED, tmp_path / "distxml", ignore=shutil.ignore_patterns("__pycache__")))
    before = found()
    assert before == code_digest(TRAINING + SCORES, tuple(WITHOUT_EFFECT))
    (copy / "training" / "new.py").write_text("factor = 1")
    assert found() == before
    losses = copy / "losses.py"
    losses.write_text(losses.read_text() + "\n\ndef later():\n    from distxml.training.new import factor\n")
    imported = found()
    assert imported != before
    (copy / "training" / "new.py").write_text("factor = 2")
    assert found() not in (before, imported)
    losses.rename(copy / "loss_terms.py")
    with pytest.raises(ModuleNotFoundError, match=r"distxml\.losses has no file"):
        found()
