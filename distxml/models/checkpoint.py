"""A model on disk: `model.safetensors` and `model.json`, enough to rebuild it. Nothing is unpickled.

Checksums are noted beside them and compared whenever the model is loaded.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict
from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor

from distxml.checksums import note_sums, read_checked
from distxml.config.images import ImageRules
from distxml.config.load import validate_json
from distxml.config.model import ModelSettings
from distxml.errors import UserError, reason_of
from distxml.files import write_whole
from distxml.models.joint import JointModel, JointOutput

WEIGHTS_NAME = "model.safetensors"
CARD_NAME = "model.json"


class ModelCard(BaseModel):
    """What it takes to rebuild a model and to use it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    settings: ModelSettings
    """Architecture."""
    classes: tuple[str, ...]
    """Names of the classes; logit i belongs to the i-th."""
    image_size: tuple[int, int]
    """Height and width in pixels that it was trained at."""
    images: ImageRules = ImageRules()
    """What became of image files that are not plain, in the dataset that it was trained on."""
    decoder: Literal[1] = 1
    """Version of all that follows from there on, to the bit: 8-bit RGB, grey as three equal channels, resized to
    `image_size` (`distxml.data.rows.resized`) and divided by 255. Another one belongs to another version of distxml."""
    gating: Literal["recompute", "white"] = "recompute"
    """What gated the classifier while these weights were trained: the explainer's heatmap, or ones."""
    dataset: str
    """Name of the dataset that it was trained on."""


@dataclass(frozen=True)
class LoadedModel:
    """A model in eval mode, and its card."""

    model: JointModel
    card: ModelCard

    def output(self, image: Tensor) -> JointOutput:
        """Logits and heatmap of B×3×H×W images, gated as in training; see `distxml.model_input.read_image`."""
        return self.model(image, "white" if self.card.gating == "white" else None)


def build_model(card: ModelCard) -> JointModel:
    """A new model of that architecture, freshly initialised from torch's global random state."""
    return JointModel(card.settings, len(card.classes))


def build_empty_model(card: ModelCard) -> JointModel:
    """A new model of that architecture for weights that come from elsewhere: `model.pretrained` is not read."""
    return JointModel(card.settings.model_copy(update={"pretrained": None}), len(card.classes))


def save_model(folder: Path, model: JointModel, card: ModelCard) -> None:
    """Write both files into an existing folder, and the checksums of all that it holds last."""
    write_model(folder, model, card)
    note_sums(folder)


def write_model(folder: Path, model: JointModel, card: ModelCard) -> None:
    """Write both files into an existing folder; whoever adds more of them notes the checksums (`note_sums`)."""
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, folder / WEIGHTS_NAME)
    write_whole(folder / CARD_NAME, card.model_dump_json(indent=2) + "\n")


def load_model(folder: Path) -> LoadedModel:
    """The model in `folder`, on the CPU, in eval mode.

    Raises:
        UserError: a file is missing, is not what was written (its checksum), or the two do not belong together.
    """
    if not (folder / CARD_NAME).is_file():
        raise UserError(f"checkpoint {folder}: no {CARD_NAME}; name a folder that `distxml train` wrote")
    card = read_card(folder)
    model = build_empty_model(card)
    try:
        model.load_state_dict(load(read_checked(folder, WEIGHTS_NAME)))
    except (SafetensorError, RuntimeError) as error:
        raise UserError(
            f"checkpoint {folder / WEIGHTS_NAME}: does not belong to its {CARD_NAME} ({reason_of(error)}); "
            "name another checkpoint"
        ) from None
    return LoadedModel(model.eval(), card)


def read_card(folder: Path) -> ModelCard:
    """The card of the model in `folder`.

    Raises:
        UserError: it is not what was written (its checksum), or another version of distxml wrote it.
    """
    content = read_checked(folder, CARD_NAME)
    return validate_json(ModelCard, content, str(folder / CARD_NAME), "name another checkpoint")


def check_classes(card: ModelCard, classes: tuple[str, ...], checkpoint: Path, dataset: str) -> None:
    """Refuse a dataset whose classes are not the checkpoint's.

    Args:
        card: of the checkpoint.
        classes: of the dataset.
        checkpoint, dataset: what the message calls the two.

    Raises:
        UserError: names or their number differ.
    """
    if card.classes != classes:
        raise UserError(
            f"checkpoint {checkpoint} knows {len(card.classes)} classes ({', '.join(card.classes)}), but dataset "
            f"{dataset} has {len(classes)} ({', '.join(classes)}); name the dataset that it was trained on"
        )
