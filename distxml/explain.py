"""The user's own images, classified and explained by a trained model."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from distxml.config.phases import PhaseName
from distxml.config.run_folder import CheckpointName, RunFolder
from distxml.errors import UserError, reason_of
from distxml.files import published_together
from distxml.model_input import read_image
from distxml.models.checkpoint import CARD_NAME, WEIGHTS_NAME, LoadedModel, load_model
from distxml.monitoring.overlay import overlay

INDEX_NAME = "explanations.json"


@dataclass(frozen=True)
class Explanation:
    """What the model says about one image.

    Attributes:
        file: the image, as the user named it.
        predicted: the most probable class.
        probabilities: by class.
        mean_heat: of the heatmap at the model's resolution, in [0, 1].
        heatmap, overlay: names of the files that were written.
    """

    file: str
    predicted: str
    probabilities: dict[str, float]
    mean_heat: float
    heatmap: str
    overlay: str


@dataclass(frozen=True)
class Explanations:
    """What was written.

    Attributes:
        index: the file that lists all of it.
        images: in the order given.
    """

    index: Path
    images: list[Explanation]


def explain_images(run: RunFolder, images: Sequence[Path], out: Path, checkpoint: CheckpointName) -> Explanations:
    """Write a heatmap and an overlay of every image into `out`, then `explanations.json`.

    The model sees an image as it would lie in the dataset that it was trained on: the rules of that dataset say what
    becomes of alpha, CMYK and 16 bits. It is turned upright as its EXIF orientation says.

    Both pictures have the size of their image; the heatmap is 8-bit gray, 0 black to 255 white, enlarged bilinearly.
    Nothing appears in `out` before every image is done.

    Args:
        run: folder of the run.
        images: files of the kinds that `distxml data build` reads.
        out: folder for the pictures; made if need be.
        checkpoint: which of the joint phase's.

    Raises:
        UserError: the run, its checkpoint or an image is missing or damaged, the dataset's rules leave an image out, or
            one would be overwritten.
    """
    folder = _checkpoint(run, checkpoint)
    loaded = load_model(folder)
    names = output_names(images)
    _protect(images, out, names)
    with _staged(out) as staging:
        explanations = [_explain(loaded, image, name, staging) for image, name in zip(images, names, strict=True)]
        index = {
            "checkpoint": run.named(folder),
            "classes": loaded.card.classes,
            "image_size": loaded.card.image_size,
            "images": [asdict(explanation) for explanation in explanations],
        }
        (staging / INDEX_NAME).write_text(json.dumps(index, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return Explanations(out / INDEX_NAME, explanations)


def output_names(images: Sequence[Path]) -> list[str]:
    """A name per image: its stem, with `-2`, `-3` ... where that is taken; upper and lower case count as the same."""
    stems = {image.stem.casefold() for image in images}
    taken: set[str] = set()
    names = []
    for image in images:
        name, number = image.stem, 1
        while name.casefold() in taken or (number > 1 and name.casefold() in stems):
            number += 1
            name = f"{image.stem}-{number}"
        taken.add(name.casefold())
        names.append(name)
    return names


def _heatmap_name(name: str) -> str:
    return f"{name}.heatmap.png"


def _overlay_name(name: str) -> str:
    return f"{name}.overlay.png"


def _checkpoint(run: RunFolder, name: CheckpointName) -> Path:
    run.recipe()  # is it a run at all?
    folder = run.checkpoint(PhaseName.JOINT, name)
    run.fetch(folder, CARD_NAME, WEIGHTS_NAME)
    if not folder.is_dir():
        raise UserError(f"run {run}: no checkpoint {name} of the joint phase; let the training come that far")
    return folder


def _protect(images: Sequence[Path], out: Path, names: Sequence[str]) -> None:
    """Refuse to write over one of the images."""
    inputs = {image.resolve() for image in images}
    written = [out / file for name in names for file in (_heatmap_name(name), _overlay_name(name))]
    for path in written:
        if path.resolve() in inputs:
            raise UserError(f"{path}: is one of the images and would be overwritten; name another folder with --out")


def _explain(loaded: LoadedModel, path: Path, name: str, folder: Path) -> Explanation:
    image = read_image(path, loaded.card)
    with torch.inference_mode():
        output = loaded.output(image.batch)
    if not (output.logits.isfinite().all() and output.heatmap.isfinite().all()):
        raise UserError(f"image {path}: the model's output is not finite; train the run again")
    probabilities = output.logits[0].double().softmax(0)
    heatmap = output.heatmap[0, 0].numpy()  # H×W
    enlarged = cv2.resize(heatmap, image.pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR).clip(0, 1)
    _write_png(folder / _heatmap_name(name), (255 * enlarged).round().astype(np.uint8))
    _write_png(folder / _overlay_name(name), overlay(image.pixels, enlarged)[..., ::-1])
    return Explanation(
        file=str(path),
        predicted=loaded.card.classes[int(probabilities.argmax())],
        probabilities=dict(zip(loaded.card.classes, probabilities.tolist(), strict=True)),
        mean_heat=float(heatmap.mean(dtype=np.float64)),
        heatmap=_heatmap_name(name),
        overlay=_overlay_name(name),
    )


def _write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    _, encoded = cv2.imencode(".png", pixels)
    path.write_bytes(encoded.tobytes())


@contextmanager
def _staged(out: Path) -> Iterator[Path]:
    """A folder whose files are moved into `out` at the end; after an error `out` is unchanged."""
    try:
        with published_together(out, INDEX_NAME) as staging:
            yield staging
    except OSError as error:
        raise UserError(f"{out}: cannot be written ({reason_of(error)}); name another folder with --out") from None
