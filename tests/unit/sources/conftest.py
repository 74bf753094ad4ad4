from pathlib import Path

import pytest

from tests.unit.sources.voc_folder import VocFolder, make_voc_folder


@pytest.fixture
def voc(tmp_path: Path) -> VocFolder:
    return make_voc_folder(tmp_path / "voc")
