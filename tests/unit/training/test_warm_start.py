"""Warm starts: what is taken, what stays, and what is refused before and while loading."""

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal

import pytest
import torch
from torch import Tensor

from distxml.checksums import note_sums
from distxml.config.model import ModelSettings
from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.config.warm_start import WarmStartSettings
from distxml.errors import UserError
from distxml.models.checkpoint import ModelCard, build_model, load_model, read_card, save_model
from distxml.training.preflight import check_dataset
from distxml.training.warm_start import apply_warm_start, check_warm_start
from tests.flip_a_byte import flip_a_byte
from tests.unit.training.small_training import SHORT, small_recipe, small_trainer

SMALL = {"classifier": "small_resnet", "width": 4, "explainer_width": 4}
Part = Literal["all", "explainer", "classifier"]


def card(classes: tuple[str, ...] = ("a", "b"), **more: object) -> ModelCard:
    settings = ModelSettings.model_validate(SMALL | more)
    return ModelCard(settings=settings, classes=classes, image_size=(16, 16), dataset="pets")


def checkpoint(folder: Path, of: ModelCard) -> dict[str, Tensor]:
    """Writes a checkpoint of a model whose BatchNorm statistics have moved; gives its state."""
    torch.manual_seed(1)
    model = build_model(of)
    model(torch.rand(4, 3, 32, 32))
    save_model(folder, model, of)
    return model.state_dict()


@pytest.fixture(scope="module")
def checkpoint_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, dict[str, Tensor]]]:
    """The checkpoint of a classifier, and its state."""

    @cache
    def write(classifier: str) -> tuple[Path, dict[str, Tensor]]:
        folder = tmp_path_factory.mktemp(classifier)
        return folder, checkpoint(folder, card(classifier=classifier))

    return write


@pytest.mark.parametrize(
    ("part", "taken"),
    [("all", {"explainer", "classifier"}), ("explainer", {"explainer"}), ("classifier", {"classifier"})],
)
@pytest.mark.parametrize("classifier", ["small_resnet", "vgg", "resnet18"])
def test_each_part(checkpoint_of, part: Part, taken: set[str], classifier: str) -> None:
    mine, (folder, before) = card(classifier=classifier), checkpoint_of(classifier)
    torch.manual_seed(2)
    model = build_model(mine)
    fresh = {name: value.clone() for name, value in model.state_dict().items()}
    apply_warm_start(model, WarmStartSettings(checkpoint=folder, part=part), mine)
    for name, value in model.state_dict().items():
        source = before if name.split(".")[0] in taken else fresh
        assert torch.equal(value, source[name]), name
    assert any(not torch.equal(before[name], fresh[name]) for name in fresh if name.split(".")[0] in taken)
    assert model.training and all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize(
    ("part", "then", "words"),
    [
        ("all", card(width=8), ["model.width=8", "recipe 4"]),
        ("classifier", card(width=8), ["model.width=8"]),
        ("all", card(explainer_width=8), ["model.explainer_width=8", "recipe 4"]),
        ("explainer", card(explainer_width=8), ["model.explainer_width=8"]),
        ("classifier", card(classifier="vgg"), ["model.classifier=vgg", "recipe small_resnet"]),
        ("classifier", card(normalization="imagenet"), ["model.normalization=imagenet", "recipe none"]),
        ("all", card(classes=("a", "b", "c")), ["classes a, b, c", "dataset pets has a, b", "part=explainer"]),
        ("classifier", card(classes=("b", "a")), ["classes b, a", "dataset pets has a, b"]),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, part: Part, then: ModelCard, words: list[str]) -> None:
    checkpoint(tmp_path, then)
    model = build_model(card())
    untouched = {name: value.clone() for name, value in model.state_dict().items()}
    settings = WarmStartSettings(checkpoint=tmp_path, part=part)
    with pytest.raises(UserError) as checked:
        check_warm_start(settings, card())
    with pytest.raises(UserError) as applied:
        apply_warm_start(model, settings, card())
    message = str(checked.value)
    assert message == str(applied.value) and "\n" not in message
    assert all(word in message for word in [*words, f"warm_start.checkpoint={tmp_path}"]), message
    assert all(torch.equal(value, untouched[name]) for name, value in model.state_dict().items())


def test_gates_matter_to_resnets(tmp_path: Path) -> None:
    checkpoint(tmp_path, card(classifier="resnet18", gates="stage"))
    with pytest.raises(UserError, match=r"model\.gates=stage, this recipe block"):
        check_warm_start(WarmStartSettings(checkpoint=tmp_path), card(classifier="resnet18"))


@pytest.mark.parametrize(
    ("part", "then"),
    [
        ("explainer", card(classes=("x", "y", "z"), classifier="vgg", width=8)),
        ("explainer", card(normalization="imagenet")),
        ("classifier", card(explainer_width=8)),
        ("all", card(init_bias=1.0, explainer_momentum=0.5, sync_batchnorm=True)),
        ("all", card().model_copy(update={"image_size": (32, 32), "dataset": "other"})),
    ],
)
def test_what_does_not_matter_is_not_refused(tmp_path: Path, part: Part, then: ModelCard) -> None:
    before = checkpoint(tmp_path, then)
    model = build_model(card())
    settings = WarmStartSettings(checkpoint=tmp_path, part=part)
    check_warm_start(settings, card())
    apply_warm_start(model, settings, card())
    taken = [name for name in before if part in ("all", name.split(".")[0])]
    assert taken and all(torch.equal(model.state_dict()[name], before[name]) for name in taken)


def test_damaged_or_missing_checkpoints(tmp_path: Path) -> None:
    settings = WarmStartSettings(checkpoint=tmp_path)
    with pytest.raises(UserError, match=r"warm_start\.checkpoint=.*holds no model\.json; name the folder"):
        check_warm_start(settings, card())
    checkpoint(tmp_path, card())
    weights = tmp_path / "model.safetensors"
    whole = weights.read_bytes()
    for content in (whole[:-1], whole[:100], b"", b"\xff" * 100):
        weights.write_bytes(content)
        with pytest.raises(UserError, match=r"model\.safetensors is not what was written.*; copy the checkpoint again"):
            check_warm_start(settings, card())
    weights.unlink()
    with pytest.raises(UserError, match=r"model\.safetensors cannot be read \(No such file"):
        check_warm_start(settings, card())
    weights.write_bytes(whole)
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(UserError, match=r"model\.json is not what was written"):
        check_warm_start(settings, card())
    note_sums(tmp_path)
    with pytest.raises(UserError, match=r"model\.json: not what this version .*; name another checkpoint$"):
        check_warm_start(settings, card())


def test_one_byte_that_changed_is_refused_and_takes_nothing_over(tmp_path: Path) -> None:
    checkpoint(tmp_path, card())
    flip_a_byte(tmp_path / "model.safetensors")
    model = build_model(card())
    untouched = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(UserError, match=rf"warm_start\.checkpoint={tmp_path}: model\.safetensors is not what was"):
        apply_warm_start(model, WarmStartSettings(checkpoint=tmp_path), card())
    assert all(torch.equal(value, untouched[name]) for name, value in model.state_dict().items())


def test_weights_that_do_not_belong_to_their_card(tmp_path: Path) -> None:
    checkpoint(tmp_path, card(width=8))
    (tmp_path / "model.json").write_text(card().model_dump_json())
    note_sums(tmp_path)
    with pytest.raises(UserError, match=r"model\.safetensors: does not belong to its model\.json"):
        apply_warm_start(build_model(card()), WarmStartSettings(checkpoint=tmp_path), card())


def copy_of_checkpoint(trained: Path, folder: Path) -> Path:
    """That of a finished run."""
    last = RunFolder(small_recipe(trained).run_folder).checkpoint(PhaseName.JOINT, "last")
    return Path(shutil.copytree(last, folder / "checkpoint"))


def test_a_run_goes_on_without_the_checkpoint_that_it_started_from(trained: Path, tmp_path: Path) -> None:
    folder = copy_of_checkpoint(trained, tmp_path)
    second = small_recipe(tmp_path, *SHORT, f"warm_start.checkpoint={folder}", "run.name=second")
    small_trainer(second).fit()
    shutil.rmtree(folder)
    check_dataset(second)
    shutil.rmtree(RunFolder(second.run_folder).checkpoint(PhaseName.JOINT, "last"))
    small_trainer(second).fit()
    assert RunFolder(second.run_folder).checkpoint(PhaseName.JOINT, "last").is_dir()


def test_a_dead_explainer_is_refused_before_the_first_step(trained: Path, tmp_path: Path) -> None:
    folder = copy_of_checkpoint(trained, tmp_path)
    model, before = load_model(folder).model, read_card(folder)
    model.explainer.normalize.bias.data.fill_(-9)
    save_model(folder, model, before)
    second = small_recipe(tmp_path, *SHORT, f"warm_start.checkpoint={folder}", "run.name=second")
    with pytest.raises(
        UserError, match=r"the explainer phase cannot start: the heatmap has gone black .*holds a dead explainer"
    ):
        small_trainer(second).fit()
