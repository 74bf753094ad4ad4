"""Warm starts: the weights of an earlier run, whole or one of the two networks."""

from collections.abc import Iterator

from distxml.checksums import REMEDY, damage_of_files
from distxml.config.model import ModelSettings
from distxml.config.warm_start import WarmStartSettings
from distxml.errors import UserError
from distxml.models.checkpoint import CARD_NAME, WEIGHTS_NAME, ModelCard, load_model, read_card
from distxml.models.joint import JointModel


def check_warm_start(settings: WarmStartSettings, card: ModelCard) -> None:
    """Whether the checkpoint suits the model of `card`, and its files are what was written; builds no model.

    Raises:
        UserError: there is no checkpoint, it is damaged, or it holds another architecture or other classes.
    """
    folder = settings.checkpoint
    if not (folder / CARD_NAME).is_file():
        raise UserError(
            f"warm_start.checkpoint={folder}: holds no {CARD_NAME}; name the folder of a checkpoint, such as "
            "runs/NAME/checkpoints/joint/best_loss"
        )
    damage = damage_of_files(folder, (CARD_NAME, WEIGHTS_NAME))
    if damage is not None:
        raise UserError(f"warm_start.checkpoint={folder}: {damage}; {REMEDY}")
    _check_same_model(settings, read_card(folder), card)


def apply_warm_start(model: JointModel, settings: WarmStartSettings, card: ModelCard) -> None:
    """Load the chosen part's weights, BatchNorm statistics with them, into `model`, wherever it is.

    Args:
        model: the model that `card` describes; changed in place.
        settings: the checkpoint's folder, and which part of it to take.
        card: of the model that is to be trained.

    Raises:
        UserError: see `check_warm_start`; or the weights do not belong to their card.
    """
    check_warm_start(settings, card)
    before = load_model(settings.checkpoint).model
    if settings.part in ("all", "explainer"):
        model.explainer.load_state_dict(before.explainer.state_dict())
    if settings.part in ("all", "classifier"):
        model.classifier.load_state_dict(before.classifier.state_dict())


def _check_same_model(settings: WarmStartSettings, before: ModelCard, now: ModelCard) -> None:
    origin = f"warm_start.checkpoint={settings.checkpoint}"
    for field in _compared_fields(settings, now.settings):
        then, here = getattr(before.settings, field), getattr(now.settings, field)
        if then != here:
            raise UserError(
                f"{origin}: has model.{field}={then}, this recipe {here}; set model.{field}={then}, or choose another "
                "checkpoint or warm_start.part"
            )
    if settings.part != "explainer" and before.classes != now.classes:
        raise UserError(
            f"{origin}: its classifier knows the classes {', '.join(before.classes)}; dataset {now.dataset} has "
            f"{', '.join(now.classes)}; take the explainer alone (warm_start.part=explainer), or another checkpoint"
        )


def _compared_fields(settings: WarmStartSettings, model: ModelSettings) -> Iterator[str]:
    """What must not differ; some of it leaves the names and shapes of the weights alone, but not what they mean."""
    if settings.part in ("all", "explainer"):
        yield "explainer_width"
    if settings.part in ("all", "classifier"):
        yield from ("classifier", "normalization")
        yield "gates" if model.has_torchvision_classifier else "width"
