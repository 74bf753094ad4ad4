"""Settings of the model: pretrained weights by name or by file, and nothing that would be ignored."""

from pathlib import Path

import pytest

from distxml.config import Recipe, load_settings
from distxml.config.model import ModelSettings
from distxml.errors import UserError


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("imagenet", "imagenet"),
        ("./imagenet", Path("imagenet")),
        (Path("imagenet"), Path("imagenet")),
        ("folder/w.pth", Path("folder/w.pth")),
        (None, None),
    ],
)
def test_pretrained_means_the_same_after_json(given: object, meant: object) -> None:
    settings = ModelSettings.model_validate({"pretrained": given, "normalization": "imagenet"})
    assert settings.pretrained == meant and type(settings.pretrained) in (str, type(Path()), type(None))
    again = ModelSettings.model_validate_json(settings.model_dump_json())
    assert again.pretrained == meant and isinstance(again.pretrained, str) == isinstance(meant, str)
    assert ModelSettings.model_validate(settings.model_dump()) == settings


def _full(override: str) -> str:
    return override if override.startswith("warm_start") else f"model.{override}"


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["classifier=vgg", "pretrained=imagenet"], ["pretrained=imagenet", "classifier=vgg", "resnet18"]),
        (["classifier=small_resnet", "pretrained=w.pth"], ["pretrained=w.pth", "classifier=small_resnet"]),
        (["classifier=vgg", "gates=stage"], ["gates=stage", "classifier=vgg"]),
        (["classifier=small_resnet", "gates=stage"], ["gates=stage", "classifier=small_resnet"]),
        (["classifier=resnet18", "pretrained=imagenet"], ["pretrained=imagenet", "normalization=imagenet", "none"]),
        (
            ["classifier=resnet18", "pretrained=./w.pth", "warm_start.checkpoint=before"],
            ["warm_start.part=all", "model.pretrained=w.pth", "warm_start.part=explainer"],
        ),
        (["explainer_momentum=0"], ["model.explainer_momentum", "greater than 0"]),
        (["explainer_momentum=1.1"], ["model.explainer_momentum", "less than or equal to 1"]),
    ],
)
def test_what_would_be_ignored_or_go_wrong_is_refused(overrides: list[str], words: list[str]) -> None:
    with pytest.raises(UserError) as error:
        load_settings(Recipe, "polygons", [_full(override) for override in overrides])
    message = str(error.value)
    assert "\n" not in message
    assert all(word in message for word in words), message
