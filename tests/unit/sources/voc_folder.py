"""Writes small Pascal VOC datasets for tests."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from distxml.config import DatasetRecipe

WIDTH, HEIGHT = 30, 20
INSIDE = (3, 4, 20, 15)

BoxValues = tuple[object, object, object, object]


def object_xml(name: str, box: BoxValues = INSIDE) -> str:
    corners = "".join(
        f"<{corner}>{value}</{corner}>" for corner, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    )
    return f"<object><name>{name}</name><bndbox>{corners}</bndbox></object>"


def annotation_xml(objects: str, filename: str = "", size: tuple[int, int] | None = (WIDTH, HEIGHT)) -> str:
    stated = "" if size is None else f"<size><width>{size[0]}</width><height>{size[1]}</height></size>"
    named = f"<filename>{filename}</filename>" if filename else ""
    return f"<annotation>{named}{stated}{objects}</annotation>"


@dataclass(frozen=True)
class VocFolder:
    """A dataset below `root`; starts with four images of each of the classes cat and dog."""

    root: Path

    @property
    def images(self) -> Path:
        return self.root / "images"

    @property
    def annotations(self) -> Path:
        return self.root / "annotations"

    def add(self, stem: str, objects: str, suffix: str = ".jpg") -> None:
        self.add_image(f"{stem}{suffix}")
        self.add_xml(stem, annotation_xml(objects))

    def add_image(self, name: str, exif_orientation: int | None = None) -> Path:
        pixels = np.random.default_rng(list(name.encode())).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
        exif = Image.Exif()
        if exif_orientation is not None:
            exif[0x0112] = exif_orientation
        path = self.images / name
        Image.fromarray(pixels).save(path, exif=exif)
        return path

    def add_xml(self, stem: str, content: str) -> Path:
        path = self.annotations / f"{stem}.xml"
        path.write_text(content, encoding="utf-8")
        return path

    def recipe(self, **source: object) -> DatasetRecipe:
        where = {"kind": "voc", "images": self.images, "annotations": self.annotations}
        return DatasetRecipe.model_validate({"name": "pets", "source": where | source})


def make_voc_folder(root: Path) -> VocFolder:
    folder = VocFolder(root)
    folder.images.mkdir(parents=True)
    folder.annotations.mkdir()
    for name in ("cat", "dog"):
        for number in range(4):
            folder.add(f"{name}{number}", object_xml(name))
    return folder
