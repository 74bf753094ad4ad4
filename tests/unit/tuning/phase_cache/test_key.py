"""What each phase's key depends on, setting by setting."""

import importlib
import sys
from pathlib import Path

import pytest

from distxml.config import Recipe, load_settings
from distxml.config.phases import PhaseName
from distxml.data.schema import DatasetMetadata, open_dataset
from distxml.tuning.phase_cache import key as phase_key
from distxml.tuning.phase_cache.code import closure
from distxml.tuning.phase_cache.key import phase_keys
from tests.unit.training.small_training import small_recipe

CLASSIFIER, EXPLAINER, JOINT = PhaseName


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


def keys(folder: Path, *overrides: str) -> tuple[str, ...]:
    recipe = small_recipe(folder, *overrides)
    return tuple(key.name for key in phase_keys(recipe, open_dataset(recipe.dataset.path).metadata).values())


def changed(folder: Path, *overrides: str, before: tuple[str, ...] = ()) -> list[PhaseName]:
    """Phases whose key changes with these settings."""
    first, then = keys(folder, *before), keys(folder, *before, *overrides)
    return [phase for phase, one, other in zip(PhaseName, first, then, strict=True) if one != other]


@pytest.mark.parametrize(
    ("override", "phases"),
    [
        ("loss.beta=0.5", [EXPLAINER, JOINT]),
        ("loss.kind=hybrid", [EXPLAINER, JOINT]),
        ("loss.gamma=0.5", [EXPLAINER, JOINT]),
        ("loss.class_weights=balanced", list(PhaseName)),
        ("phases.explainer.alpha=0.3", [EXPLAINER, JOINT]),
        ("phases.explainer.lr_explainer=0.03", [EXPLAINER, JOINT]),
        ("phases.explainer.epochs=3", [EXPLAINER, JOINT]),
        ("phases.joint.alpha=0.3", [JOINT]),
        ("phases.joint.lr_explainer=0.03", [JOINT]),
        ("phases.joint.lr_classifier=0.03", [JOINT]),
        ("phases.joint.epochs=3", [JOINT]),
        ("quick_scores.images=4", [JOINT]),
        ("phases.classifier.lr_classifier=0.03", list(PhaseName)),
        ("phases.classifier.epochs=3", list(PhaseName)),
        ("run.seed=1", list(PhaseName)),
        ("model.width=3", list(PhaseName)),
        ("model.explainer_width=3", list(PhaseName)),
        ("model.init_bias=2", list(PhaseName)),
        ("optimizer.momentum=0.8", list(PhaseName)),
        ("guard.factor=0.4", list(PhaseName)),
        ("loader.batch_size=5", list(PhaseName)),
        ("loader.augmentation={preset: flips, probability: 0.4}", list(PhaseName)),
        ("loader.shuffle_buffer=4", list(PhaseName)),
        ("compute.micro_batch=2", list(PhaseName)),
        ("scaling.workers=2", list(PhaseName)),
        ("run.name=other", []),
        ("run.gallery=3", []),
        ("run.checkpoint_steps=1", list(PhaseName)),
        ("run.checkpoint_minutes=1", []),
        ("quick_scores.seed=1", [JOINT]),
        ("evaluation.steps=3", []),
        ("loader.prefetch=2", []),
        ("scaling.max_failures=1", []),
    ],
)
def test_settings(folder: Path, override: str, phases: list[PhaseName]) -> None:
    assert changed(folder, override) == phases


def test_the_classifier_phase_depends_on_the_explanation_loss_where_it_weighs_anything(folder: Path) -> None:
    assert changed(folder, "loss.beta=0.5", before=("phases.classifier.alpha=0.9",)) == list(PhaseName)


def test_the_same_data_elsewhere_and_other_data_in_the_same_place(folder: Path) -> None:
    recipe = small_recipe(folder)
    data = open_dataset(recipe.dataset.path).metadata
    moved = recipe.model_copy(update={"dataset": recipe.dataset.model_copy(update={"path": "/elsewhere"})})
    assert _names(recipe, data) == _names(moved, data)
    train, *others = data.shards
    other = data.model_copy(update={"shards": (train.model_copy(update={"sha256": "0" * 64}), *others)})
    assert not set(_names(recipe, data)) & set(_names(recipe, other))


def _names(recipe: Recipe, data: DatasetMetadata) -> tuple[str, ...]:
    return tuple(key.name for key in phase_keys(recipe, data).values())


def test_the_code_counts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = keys(folder)
    monkeypatch.setattr(phase_key, "TRAINING", (*phase_key.TRAINING, "distxml.report.style"))
    assert not set(before) & set(keys(folder))


def test_the_code_of_the_scores_counts_in_the_last_phase(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = keys(folder)
    monkeypatch.setattr(phase_key, "SCORES", (*phase_key.SCORES, "distxml.report.style"))
    assert [one == other for one, other in zip(before, keys(folder), strict=True)] == [True, True, False]


def test_code_that_has_moved_is_missed_loudly(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = {"distxml.monitoring.gone": ""}
    monkeypatch.setattr(phase_key, "WITHOUT_EFFECT", phase_key.WITHOUT_EFFECT | gone)
    with pytest.raises(ModuleNotFoundError, match=r"distxml\.monitoring\.gone has no file"):
        keys(folder)


def test_every_module_that_a_worker_loads_counts_or_is_said_to_have_no_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = [name for name in sys.modules if name.split(".")[0] == "distxml"]
    for name in ours:
        monkeypatch.delitem(sys.modules, name)  # so that the import below loads all that it needs, and nothing else
    for name in phase_key.TRAINING + phase_key.SCORES:
        importlib.import_module(name)
    loaded = {name for name in sys.modules if name.split(".")[0] == "distxml"}
    for name in loaded:
        monkeypatch.delitem(sys.modules, name)  # pytest puts the first ones back
    counted = closure(phase_key.TRAINING + phase_key.SCORES, phase_key.WITHOUT_EFFECT)
    left_out = {
        name for name in loaded if f"{name}.".startswith(tuple(f"{each}." for each in phase_key.WITHOUT_EFFECT))
    }
    assert {"distxml.training.trainer", "distxml.losses", "distxml.data.augment.opencv"} <= loaded
    assert loaded - left_out <= counted.keys()


def test_the_libraries_count(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, versions = keys(folder), phase_key._versions()
    assert {"torch", "numpy", "albumentations", "opencv-python-headless"} <= versions.keys()
    monkeypatch.setattr(phase_key, "_versions", lambda: versions | {"albumentations": "0.1"})
    assert not set(before) & set(keys(folder))


def test_weights_to_start_from_count_by_their_content(folder: Path, tmp_path: Path) -> None:
    found = []
    for place, content in (("one", b"1"), ("same", b"1"), ("other", b"2")):
        (tmp_path / place).mkdir()
        (tmp_path / place / "model.safetensors").write_bytes(content)
        found.append(keys(folder, f"warm_start.checkpoint={tmp_path / place}"))
    assert found[0] == found[1]
    assert not set(found[0]) & set(found[2])


def test_settings_that_are_not_known_to_be_free_count() -> None:
    """Whatever a recipe has besides is in the key: a setting that is added to it later is not forgotten."""
    recipe = load_settings(Recipe, "polygons", [])
    fields = set(Recipe.model_fields) - {"dataset", "evaluation", "quick_scores"}
    data = DatasetMetadata.model_construct(shards=(), classes_sha256="")
    assert set(phase_keys(recipe, data)[EXPLAINER].depends["settings"]) == fields
