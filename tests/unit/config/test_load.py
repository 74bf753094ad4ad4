"""Recipes, overrides, and the errors that name what is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from distxml.config import DatasetRecipe, Recipe, load_settings, to_yaml
from distxml.errors import UserError
from distxml.recipes import recipe_names

REPOSITORY = Path(__file__).parents[3]


@pytest.mark.parametrize("name", recipe_names("experiments"))
def test_packaged_experiments_are_valid(name: str) -> None:
    assert load_settings(Recipe, name, []).run.name == name


@pytest.mark.parametrize("name", recipe_names("datasets"))
def test_packaged_datasets_are_valid(name: str) -> None:
    assert load_settings(DatasetRecipe, name, [], shelf="datasets").name == name


def test_every_shipped_yaml_is_one_of_them() -> None:
    shipped = {path for folder in ("distxml", "datasets", "tune") for path in (REPOSITORY / folder).rglob("*.yaml")}
    known = {REPOSITORY / "distxml/recipes" / f"{name}.yaml" for name in recipe_names("experiments")}
    known |= {folder / f"{name}.yaml" for name in recipe_names("datasets") for folder in _dataset_folders()}
    known |= {REPOSITORY / "tune" / f"{name}.yaml" for name in recipe_names("sweeps")}  # read in tests/unit/tuning
    assert shipped == {path for path in known if path in shipped} and shipped


def _dataset_folders() -> list[Path]:
    return [REPOSITORY / "datasets", REPOSITORY / "distxml/recipes/datasets"]


@pytest.mark.parametrize(
    ("name", "alphas", "epochs"),
    [("imagenet_hvz", (1, 0.25, 0.9), (10, 10, 100)), ("nih_nci", (1, 0.25, 0.99), (30, 10, 50))],
)
def test_published_settings(name: str, alphas: tuple[float, ...], epochs: tuple[int, ...]) -> None:
    recipe = load_settings(Recipe, name, [])
    assert tuple(phase.alpha for _, phase in recipe.phases.items()) == alphas
    assert tuple(phase.epochs for _, phase in recipe.phases.items()) == epochs
    assert [(phase.lr_classifier, phase.lr_explainer) for _, phase in recipe.phases.items()] == [
        (0.01, 0),
        (0, 0.01),
        (0.01, 0.01),
    ]
    assert [phase.patience for _, phase in recipe.phases.items()] == [100, 100, 10]
    assert [phase.start_from for _, phase in recipe.phases.items()][1:] == ["best_loss", "best_loss"]
    assert recipe.evaluation.checkpoint == "best_loss"
    assert (recipe.loss.beta, recipe.loss.gamma, recipe.model.init_bias) == (0.9, 1.0, 3.0)
    assert (recipe.optimizer.momentum, recipe.optimizer.weight_decay, recipe.loader.batch_size) == (0.9, 1e-4, 8)


def test_overrides_reach_lists_and_parse_yaml() -> None:
    recipe = load_settings(
        Recipe, "polygons", ["phases.joint.alpha=0.99", "loader.image_size=[32, 48]", "loss.gamma=1e-2"]
    )
    assert recipe.phases.joint.alpha == 0.99
    assert recipe.loader.image_size == (32, 48)
    assert recipe.loss.gamma == 0.01


def test_an_override_reaches_into_phases_that_the_file_leaves_out(tmp_path: Path) -> None:
    file = tmp_path / "short.yaml"
    file.write_text("dataset: {path: x}\nrun: {name: short}\n")
    phases = load_settings(Recipe, str(file), ["phases.joint.epochs=5", "phases.classifier.until=0.3"]).phases
    defaults = load_settings(Recipe, str(file), []).phases
    assert phases.classifier == defaults.classifier.model_copy(update={"until": 0.3})
    assert phases.explainer == defaults.explainer
    assert phases.joint == defaults.joint.model_copy(update={"epochs": 5})


def test_print_config_reads_back(tmp_path: Path) -> None:
    recipe = load_settings(Recipe, "voc", ["loss.class_weights=[1, 2]"])
    path = tmp_path / "again.yaml"
    path.write_text(to_yaml(recipe))
    assert load_settings(Recipe, str(path), []) == recipe


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("phases.joint.alpa=0.99", ["phases.joint.alpa", "unknown key", "0.99", "did you mean phases.joint.alpha?"]),
        ("loader.batchsize=4", ["did you mean loader.batch_size?"]),
        ("loader.batch_size=many", ["loader.batch_size", "integer", "'many'"]),
        ("loader.image_size=50", ["loader.image_size", "multiples of 4", "50"]),
        ("loader.batch_size=1", ["loader.batch_size (1)", "scaling.workers (2)"]),
        ("phases.clasifier.alpha=1", ["override phases.clasifier: unknown key", "did you mean phases.classifier?"]),
        ("phases.1.alpha=1", ["override phases.1: unknown key", "valid: classifier, explainer, joint"]),
        ("phases.explainer.lr_explainer=0", ["phases.explainer", "nothing would learn"]),
        ("model.classifier=resnet19", ["model.classifier", "did you mean resnet18", "'resnet19'"]),
        ("run.name=../escape", ["run.name", "../escape"]),
        ("no-equals-sign", ["no-equals-sign", "a.b=value"]),
        ("loss.gamma=[1", ["loss.gamma=[1", "not a YAML value"]),
        ("evaluation.blur_sigma=.inf", ["evaluation.blur_sigma", "finite number"]),
        ("evaluation.blur_sigma=2", ["evaluation.blur_sigma", "less than or equal to 1"]),
        ("loss.gamma=.nan", ["loss.gamma", "finite number"]),
    ],
)
def test_one_clear_line(override: str, words: list[str]) -> None:
    with pytest.raises(UserError) as error:
        load_settings(Recipe, "polygons", [override])
    message = str(error.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


def test_union_fields_are_named_as_written() -> None:
    with pytest.raises(UserError, match=r"source\.imagse: unknown key.*did you mean source\.images\?"):
        load_settings(DatasetRecipe, "voc", ["source.imagse=x"], shelf="datasets")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a: [1", "not valid YAML"),
        ("- a\n- b\n", "key: value"),
        ("run: {name: x}\n", "dataset: is missing"),
        ("\xff", ""),
    ],
)
def test_broken_files_are_named(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "it's a recipe.yaml"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(UserError) as error:
        load_settings(Recipe, str(path), [])
    assert str(path) in str(error.value) and words in str(error.value)


def test_missing_recipe_names_the_packaged_ones() -> None:
    with pytest.raises(UserError, match=r"no packaged recipe of that name.*polygons"):
        load_settings(Recipe, "polygon", [])


def test_every_field_has_a_docstring() -> None:
    todo, seen = [Recipe, DatasetRecipe], set()
    while todo:
        model = todo.pop()
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name} has no docstring"
            inner = field.annotation
            if isinstance(inner, type) and hasattr(inner, "model_fields") and inner not in seen:
                seen.add(inner)
                todo.append(inner)
    assert len(seen) >= 8


@pytest.mark.slow
def test_config_imports_without_torch_or_ray() -> None:
    code = "import sys, distxml.config; print([m for m in ('torch', 'ray', 'cv2', 'pyarrow') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
