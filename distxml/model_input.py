"""From an image file to what a model sees: the pixels that the file would have in the dataset that it was trained on.

`distxml explain` and programs of the user's own read their images here:

    loaded = load_model(Path("runs/NAME/checkpoints/joint/last"))
    image = read_image(Path("photo.jpg"), loaded.card)
    output = loaded.output(image.batch)  # logits 1×C, heatmap 1×1×H×W
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from distxml.config.images import ImageRules
from distxml.data.rows import Sample, collate, decode_image, resized
from distxml.errors import UserError
from distxml.models.checkpoint import ModelCard
from distxml.sources.images.check import prepare_image
from distxml.sources.material import Unusable


@dataclass(frozen=True)
class ModelInput:
    """An image file, read.

    Attributes:
        pixels: H×W×3 RGB of 8 bits, upright, in the file's size.
        batch: 1×3×h×w in [0, 1], in the model's.
    """

    pixels: NDArray[np.uint8]
    batch: Tensor


def read_image(path: Path, card: ModelCard) -> ModelInput:
    """An image file as it would lie in the dataset that the model was trained on.

    Its rules (`card.images`) say what becomes of alpha, CMYK and 16 bits; then it is resized as a dataset's images are.
    One that viewers turn is turned even where the rules leave it out: they do for the sake of annotations.

    Args:
        path: of a kind that `distxml data build` reads.
        card: of the model.

    Raises:
        UserError: the file is missing or damaged, or the rules leave it out.
    """
    pixels = decode_image(_plain(path, card.images), None, str(path))
    return ModelInput(pixels, collate([Sample(str(path), 0, resized(pixels, card.image_size), None)]).image)


def _plain(path: Path, rules: ImageRules) -> bytes:
    """The image as it would lie in a dataset with these rules: a plain JPEG or PNG."""
    if not str(path).isprintable():
        raise UserError(f"image {str(path)!a}: its name holds characters that cannot be printed; rename it")
    if path.is_dir():
        raise UserError(f"image {path}: is a folder; name image files")
    try:
        return prepare_image(path, rules.model_copy(update={"exif_rotated": "upright"})).content
    except Unusable as reason:
        raise UserError(
            f"image {path}: {reason}; the dataset that the model was trained on holds no such image; "
            "replace it or leave it out"
        ) from None
    except MemoryError:
        raise UserError(f"image {path}: there is not enough memory for it; make it smaller or leave it out") from None
